"""A question about an image and a table, with the OpenAI SDK: both travel inside the request."""

import base64
import os

from openai import OpenAI

#: One red pixel. A real image is read from its file: Path("chart.png").read_bytes()
IMAGE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
TABLE = "account;balance\n1001;2500.00\n1002;17.30\n"


def data_url(data: bytes, media_type: str) -> str:
    """The bytes as an address that contains them."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
answer = client.chat.completions.create(
    model="stackspot-chat",
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Which colour is the image, and which account has more money?"},
                {"type": "image_url", "image_url": {"url": data_url(IMAGE, "image/png")}},
                {
                    "type": "file",
                    "file": {"filename": "balances.csv", "file_data": data_url(TABLE.encode(), "text/csv")},
                },
            ],
        }
    ],
)
message = answer.choices[0].message
print(message.content)
for annotation in message.annotations or []:  # the knowledge sources of an agent that has some
    print(f"{annotation.url_citation.title}: {annotation.url_citation.url}")
