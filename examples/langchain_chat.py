"""LangChain: a streamed answer, then a tool that is bound to the model, called, and answered."""

import os

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

model = ChatOpenAI(
    model="stackspot-chat",
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1"),
    api_key=SecretStr(os.environ.get("OPENAI_API_KEY", "none")),
)


@tool
def get_exchange_rate(currency: str) -> str:
    """The exchange rate of a currency, in reais."""
    rates = {"USD": "5.43", "EUR": "5.91"}
    return rates.get(currency, f"There is no rate for {currency}.")


if __name__ == "__main__":
    for chunk in model.stream("Count from 1 to 5."):
        print(chunk.text, end="", flush=True)
    print()

    messages: list[BaseMessage] = [HumanMessage('What is the exchange rate of the currency "USD"?')]
    with_tools = model.bind_tools([get_exchange_rate])
    answer = with_tools.invoke(messages)
    messages.append(answer)
    for call in answer.tool_calls:
        result = get_exchange_rate.invoke(call)  # a ToolMessage, since it was given a call
        print(f"{call['name']}({call['args']}) -> {result.content}")
        messages.append(result)
    print(with_tools.invoke(messages).text)
