"""A whole tool loop with the OpenAI SDK: ask, run the calls, send their results back, until there is an answer."""

import json
import os
from collections.abc import Callable

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

BALANCES = {1001: "R$ 2,500.00", 1002: "R$ 310.75"}
MOST_TURNS = 5


def get_balance(account: int) -> str:
    """The balance of an account, or what is wrong: the model reads both."""
    return BALANCES.get(account, f"There is no account {account}.")


FUNCTIONS: dict[str, Callable[..., str]] = {"get_balance": get_balance}
TOOLS: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": "get_balance",
            "description": "The balance of a bank account.",
            "parameters": {
                "type": "object",
                "properties": {"account": {"type": "integer", "description": "The account's number."}},
                "required": ["account"],
            },
        },
    }
]


def ask(client: OpenAI, question: str) -> str:
    """The answer to `question`, after all the calls that the model wants to make."""
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": question}]
    for _ in range(MOST_TURNS):
        answer = client.chat.completions.create(model="stackspot-chat", messages=messages, tools=TOOLS)
        message = answer.choices[0].message
        messages.append(message.model_dump(exclude_none=True))  # type: ignore[arg-type] # a message, as a dict
        if not message.tool_calls:
            return message.content or ""
        for call in message.tool_calls:
            if call.type == "function":
                result = FUNCTIONS[call.function.name](**json.loads(call.function.arguments))
                print(f"{call.function.name}({call.function.arguments}) -> {result}")
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    raise RuntimeError(f"The model still wants to call tools after {MOST_TURNS} turns.")


if __name__ == "__main__":
    proxy = OpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "none"),
    )
    print(ask(proxy, "What is the balance of account 1001?"))
