"""What a form of the page sent. Only texts come here, so nothing more than a query is parsed."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import HTTPException, Request

MOST_BYTES = 64 * 1024


async def form_of(request: Request) -> dict[str, list[str]]:
    """Every field with all of its values, in the order of the form.

    Raises:
        HTTPException: 413 when it is larger than any form of ours, 400 when it is no form.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"a form of more than {MOST_BYTES} bytes")
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise HTTPException(400, f"the form cannot be read: {error}") from None


async def fields_of(request: Request) -> dict[str, str]:
    """Every field with its last value, without blanks around it. Raises HTTPException."""
    return {name: values[-1].strip() for name, values in (await form_of(request)).items()}
