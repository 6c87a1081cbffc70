"""Gateways: their wire formats, and thin asyncio shells around them.  Knows frames and receptions, nothing of meters."""
