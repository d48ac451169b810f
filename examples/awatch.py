"""Restarts a job whenever something changes below a path, and does not block."""

import asyncio
import sys

import gamin


async def job() -> None:
    print("job begins", flush=True)
    await asyncio.sleep(3600)


async def main(path: str) -> None:
    async with gamin.awatch(path, settle=0.05, ignore=["*.pyc"]) as watch:
        running = asyncio.create_task(job())
        async for batch in watch:
            running.cancel()
            print(f"{len(batch)} changes, the first of {batch[0].path}", flush=True)
            running = asyncio.create_task(job())


asyncio.run(main(sys.argv[1]))
