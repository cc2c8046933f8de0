"""asyncpg: a pool whose connections are reset and used again, arguments, a cursor, an error's code."""

import asyncio
import json

import asyncpg


async def main() -> None:
    """Print what was read."""
    async with asyncpg.create_pool(min_size=1, max_size=1, ssl=False) as pool:
        backends, found = [], {}
        for number in range(3):
            async with pool.acquire() as connection:
                backends.append(await connection.fetchval("SELECT pg_backend_pid()"))
                found["sum"] = await connection.fetchval("SELECT $1::int + $2::int", number, 40)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("CREATE TEMP TABLE numbers (n INTEGER, word VARCHAR(10))")
            await connection.executemany("INSERT INTO numbers VALUES ($1, $2)", [(n, "x") for n in range(9)])
            cursor = await connection.cursor("SELECT n FROM numbers ORDER BY n")
            parts = [await cursor.fetch(5), await cursor.fetch(5)]
            found["cursor"] = [[row["n"] for row in part] for part in parts]
        async with pool.acquire() as connection:
            try:
                await connection.execute("SELECT missing FROM numbers")
            except asyncpg.PostgresError as error:
                found["error"] = error.sqlstate
    print(json.dumps({**found, "backends": len(set(backends))}))


asyncio.run(main())
