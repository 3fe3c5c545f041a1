#!/usr/bin/env bash
# A plain answer, a streamed one, and a tool call, with nothing but curl.
set -eu

url="${OPENAI_BASE_URL:-http://127.0.0.1:4000/v1}/chat/completions"

ask() {
    curl --silent --show-error --no-buffer --fail-with-body --noproxy 127.0.0.1 "$url" \
        --header "Authorization: Bearer ${OPENAI_API_KEY:-none}" \
        --header 'Content-Type: application/json' \
        --data "$1"
    echo
}

ask '{"model": "stackspot-chat", "messages": [{"role": "user", "content": "How much is 17 * 3?"}]}'

ask '{"model": "stackspot-chat", "stream": true, "stream_options": {"include_usage": true},
      "messages": [{"role": "user", "content": "Count from 1 to 3."}]}'

ask '{"model": "stackspot-chat",
      "messages": [{"role": "user", "content": "What is the weather in Recife?"}],
      "tools": [{"type": "function", "function": {
          "name": "get_weather", "description": "The weather of a city.",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]}'
