"""Many questions at once, but never more than a few: the quota of a StackSpot account is 100 requests a minute."""

import asyncio
import os

from openai import AsyncOpenAI

AT_ONCE = 4


async def ask(client: AsyncOpenAI, free: asyncio.Semaphore, question: str) -> str:
    """The answer to `question`, once one of the places is `free`."""
    async with free:
        answer = await client.chat.completions.create(
            model="stackspot-chat", messages=[{"role": "user", "content": question}]
        )
    return answer.choices[0].message.content or ""


async def main() -> None:
    """Ask for some squares, and print the answers in the order of the questions."""
    free = asyncio.Semaphore(AT_ONCE)
    async with AsyncOpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "none"),
        max_retries=5,  # the SDK waits for the Retry-After of a 429 and asks again
    ) as client:
        questions = [f"How much is {number} * {number}?" for number in range(1, 13)]
        for answer in await asyncio.gather(*(ask(client, free, question) for question in questions)):
            print(answer)


if __name__ == "__main__":
    asyncio.run(main())
