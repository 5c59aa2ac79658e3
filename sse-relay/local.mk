# sse-relay
