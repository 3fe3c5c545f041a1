FROM python:3.13-slim

WORKDIR /app

# Before the code, so that a change of the code does not install again. All requirements are wheels: no compiler.
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore -r requirements.txt

COPY config.yaml ./
COPY custom_handler custom_handler
COPY emulator emulator
COPY fusion_client fusion_client

# HOST: a container is reached from outside, so clients need a key (LITELLM_MASTER_KEY).
# PYTHONPATH: LiteLLM finds custom_handler in the working directory only. HOME: nothing but /tmp need be writable.
ENV HOST=0.0.0.0 \
    PORT=4000 \
    PYTHONPATH=/app \
    HOME=/tmp

# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "custom_handler.launcher", "--health"]
CMD ["python", "-m", "custom_handler.launcher"]
