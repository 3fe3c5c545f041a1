"""The services behind the proxy: one protocol, one module a service."""
