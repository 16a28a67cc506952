# SPDX-License-Identifier: MIT
# client.py PORT TOKEN   uses a featherid-server by Python's Redis client.
import sys

import redis

port, token = int(sys.argv[1]), sys.argv[2]
ids = redis.Redis(host="127.0.0.1", port=port, password=token, client_name="python")

first = ids.incr("order")
assert ids.incr("order") > first
last = ids.incr("order", 100)
assert ids.incrby("order", 3) >= last + 3
assert ids.ping() and ids.echo("a b") == b"a b"
assert ids.exists("order", "nope") == 1 and ids.type("order") == b"string"
assert ids.client_getname() == "python" and ids.info()["redis_mode"] == "standalone"

with ids.pipeline(transaction=False) as pipeline:
    for _ in range(1000):
        pipeline.incr("order")
    got = pipeline.execute()
assert got == sorted(set(got)) and got[0] > last

for call, begin in [
    (lambda: ids.incr("nope"), "no such tag"),
    (lambda: ids.get("order"), "an id cannot be read"),
    (lambda: ids.set("order", 1), "unknown command"),
    (lambda: ids.decr("order"), "unknown command"),
]:
    try:
        call()
        raise AssertionError("no error")
    except redis.ResponseError as error:
        assert begin in str(error), error

try:
    redis.Redis(host="127.0.0.1", port=port, password="wrong").incr("order")
    raise AssertionError("no error")
except redis.RedisError as error:
    assert "WRONGPASS" in str(error) or "invalid username-password" in str(error), error
