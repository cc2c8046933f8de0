// node-postgres: a pool, arguments, a named statement, a cursor, types, an error's code.
const { Pool } = require("pg");
const Cursor = require("pg-cursor");

async function main() {
  const pool = new Pool({ max: 2 });
  const found = {};
  found.sum = (await pool.query("SELECT $1::int + $2::int AS sum", [1, 2])).rows[0].sum;
  const named = { name: "plays", text: "SELECT COUNT(*) AS plays FROM raw.staging_events WHERE page = $1" };
  found.plays = [];
  for (const page of ["NextSong", "nothing"]) {
    found.plays.push(Number((await pool.query({ ...named, values: [page] })).rows[0].plays));
  }
  const client = await pool.connect();
  await client.query("BEGIN");
  await client.query("CREATE TEMP TABLE numbers (n INTEGER, at TIMESTAMP, yes BOOLEAN)");
  await client.query("INSERT INTO numbers VALUES (1, '2018-11-28 10:00:00', true), (2, NULL, false), (3, NULL, NULL)");
  const cursor = client.query(new Cursor("SELECT n, yes FROM numbers ORDER BY n"));
  found.rows = [await cursor.read(2), await cursor.read(2)];
  await cursor.close();
  found.type = (await client.query("SELECT at FROM numbers WHERE n = 1")).rows[0].at instanceof Date;
  await client.query("ROLLBACK");
  client.release();
  found.error = await pool.query("SELECT 1 FROM numbers").catch((error) => error.code);
  await pool.end();
  console.log(JSON.stringify(found));
}

main();
