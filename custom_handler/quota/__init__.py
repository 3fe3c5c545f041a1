"""The account's quota: questions wait for their turn instead of failing. Pure inside, asyncio and Redis around it."""
