"""What a form of the page sent. Only texts come here, so nothing more than a query is parsed."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import HTTPException, Request

MOST_BYTES = 64 * 1024


async def form_of(request: Request, most_bytes: int = MOST_BYTES) -> dict[str, list[str]]:
    """Every field with all of its values, in the order of the form.

    Args:
        request: with the form in its body.
        most_bytes: no form that is sent here is longer.

    Raises:
        HTTPException: 413 when it is larger than any form of ours, 400 when it is no form.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise HTTPException(413, f"a form of more than {most_bytes} bytes")
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise HTTPException(400, f"the form cannot be read: {error}") from None


async def fields_of(request: Request, most_bytes: int = MOST_BYTES) -> dict[str, str]:
    """Every field with its last value, without blanks around it. Raises as :func:`form_of`."""
    form = await form_of(request, most_bytes)
    return {name: values[-1].strip() for name, values in form.items()}
