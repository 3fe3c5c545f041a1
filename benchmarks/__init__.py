"""Measurements of the proxy, as ratios taken in one run: `make bench`."""

import os

# LiteLLM reads this when it is imported; without it, it would first try to download its prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
