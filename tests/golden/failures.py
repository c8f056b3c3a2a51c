"""Failures: each case is a program, of which one call logs all. What differs is what failed, or only its data.

``python -m tools.golden`` runs each with what stands before the first; ``log`` and ``run_file`` are handed in.
"""
# ruff: noqa: F821

import sqlite3


def attempt(function, *arguments):
    """Where a worker logs whatever its jobs raise."""
    try:
        function(*arguments)
    except Exception:
        log.exception("job failed")


def say(*texts):
    """Texts that are ready, as f-strings make them."""
    for text in texts:
        log.error(text)


def library(path, code):
    """The names of a module of a library."""
    return run_file(f"{LIBRARIES}/{path}", code, {"__name__": path.partition("/")[0]})


# -- numbers in the text of an exception
def find(order):
    raise LookupError(f"no order {order} since yesterday")


for order in (17, 4711, 90210):
    attempt(find, order)


# -- two checks of one function
def check(total, lines):
    if total < 0:
        raise ValueError("a total must not be negative")
    if not lines:
        raise ValueError("an order needs a line")


attempt(check, -1, 1)
attempt(check, 10, 0)


# -- an error for each status, raised by one line of a library
client = library(
    "payhttp/answers.py",
    """class StatusError(Exception):
    pass

def check(answer, url):
    if answer >= 400:
        raise StatusError(f"{answer} {REASONS[answer]} for url: {url}")

REASONS = {401: "Unauthorized", 429: "Too Many Requests", 503: "Service Unavailable"}
""",
)


def pay(answer):
    client["check"](answer, f"https://bank.example/payments/{answer * 7}")


for answer in (401, 503, 429, 503, 401):
    attempt(pay, answer)


# -- a host that refuses, and one that nobody knows
client = library(
    "payhttp/connection.py",
    """class ConnectError(OSError):
    pass

def connect(host, port):
    try:
        reach(host, port)
    except OSError as error:
        raise ConnectError(f"cannot connect to {host}:{port}: {error}") from error

def reach(host, port):
    if host.endswith(".invalid"):
        raise OSError(-2, "Name or service not known")
    raise ConnectionRefusedError(111, "Connection refused")
""",
)


def fetch(host):
    client["connect"](host, 8443)


attempt(fetch, "10.0.0.7")
attempt(fetch, "bank.invalid")
attempt(fetch, "10.0.0.8")


# -- a database's errors of two types
database = sqlite3.connect(":memory:")
database.execute("create table stock(item text unique, pieces int not null)")


def query(statement):
    database.execute(statement)


attempt(query, "select pieces from store")
attempt(query, "insert into stock values('tea', null)")
database.close()

# -- a database's errors of one type
database = sqlite3.connect(":memory:")


def query(statement):
    database.execute(statement)


attempt(query, "select pieces from store")
attempt(query, "selct pieces")
attempt(query, "select pieces from orders")
database.close()

# -- a database's errors, wrapped by a library with the statement
orm = library(
    "tinyorm/engine.py",
    """class DatabaseError(Exception):
    pass

def execute(cursor, statement):
    try:
        cursor.execute(statement)
    except Exception as error:
        raise DatabaseError(f"({type(error).__name__}) {error}\\n[SQL: {statement}]") from error
""",
)
database = sqlite3.connect(":memory:")


def query(statement):
    orm["execute"](database, statement)


attempt(query, "select pieces from store where item = 'tea'")
attempt(query, "select pieces from store where item = 'rice'")
attempt(query, "selct pieces")
database.close()


# -- raised from a timeout, and from a refusal
class PaymentError(Exception):
    pass


def late():
    raise TimeoutError("bank.example did not answer within 3 s")


def refused():
    raise PermissionError("the signature is wrong")


def pay(how):
    try:
        how()
    except Exception as error:
        raise PaymentError("nothing was paid") from error


for how in (late, refused, late):
    attempt(pay, how)


# -- a formula that is compiled at each call
def price(formula, pieces):
    return eval(formula, {"pieces": pieces})


for _ in range(10):
    attempt(price, "100 / pieces", 0)


# -- input that cannot be read, at one line
reader = library(
    "fastjson/decode.py",
    """import json

def loads(text):
    at = len(text) // 2
    raise json.JSONDecodeError(("Expecting value", "Unterminated string starting at")[at % 2], text, at)
""",
)
for text in ("", "{", '{"a', '{"a": 1,}', "[" * 40):
    attempt(reader["loads"], text)


# -- recursion, more and less deep
def total(part):
    return sum_of(part - 1) if part else {}["price"]


def sum_of(part):
    return total(part - 1)


for depth in (2, 4, 8, 20):
    attempt(total, depth)


# -- groups with other members
def several(*errors):
    raise ExceptionGroup("some jobs failed", list(errors))


attempt(several, ValueError("no amount"), ValueError("no user"))
attempt(several, KeyError("amount"))
attempt(several, ValueError("no amount"), ExceptionGroup("inner", [TimeoutError("late")]))
attempt(several, KeyError("amount"))

# -- a model that is made anew at each call
models = library(
    "modeling/main.py",
    """class ValidationError(ValueError):
    pass

def validate(model, name, value):
    raise ValidationError(
        f"1 error in {model.__name__}\\n{name}\\n  Input should be a number [type=number, input_value={value!r}]")
""",
)


def receive(value):
    class Order:
        pieces: int

    models["validate"](Order, "pieces", value)


attempt(receive, "two")
attempt(receive, "three")


# -- a template that is compiled at each call
def render(pieces):
    names = run_file("<template>", "def root(pieces):\n    return f'{100 // (pieces - pieces)}'\n", {})
    try:
        names["root"](pieces)
    except ZeroDivisionError:
        raise RuntimeError("the mail has no price") from None


attempt(render, 1)
attempt(render, 2)

# -- text: two causes
say("backup failed: [Errno 28] No space left on device", "backup failed: [Errno 13] Permission denied: '/backup'")
say("backup failed: [Errno 28] No space left on device")

# -- template: two causes as its argument
for error in (OSError(28, "No space left on device"), OSError(13, "Permission denied"), OSError(28, "Disk is full")):
    log.error("backup failed: %s", error)

# -- text: two answers
say("the bank answered 401", "the bank answered 503", "the bank answered 401", "the bank answered after 12 tries")

# -- text: two quoted services
say("service 'cart' is down", "service 'bank' is down", "service 'cart' is down")

# -- text: two keys
say(*(f"event is not complete: {KeyError(key)!r}" for key in ("amount", "user", "amount")))

# -- text: apostrophes
say("disk isn't mounted, won't write", "peer isn't there, won't wait", "disk isn't mounted, won't write")

# -- text: twenty names
names = "amy ben cleo dan eva finn gina hugo iris jack kate liam mona nils olga paul quin rosa sven tess"
say(*(f"no account of {name}" for name in names.split()))

# -- text: addresses of mail
say("mail to amy@shop.example came back", "mail to zoe.li+news@mail.shop.example came back")

# -- text: paths
say(*(f"cannot open /data/{day}/{name}.csv" for day, name in ((25, "orders"), (26, "stock"), (27, "users"))))
say(r"cannot open C:\data\orders.csv")

# -- text: addresses of the web
say("POST https://bank.example/users/amy/pay failed", "POST https://bank.example/users/zoe/pay?full=1 failed")
say("POST https://mail.example/users/amy failed")

# -- text: signs
say(*(f"account stands at {amount}" for amount in (-5, 5, -7.25, "+3", "1,024.50", "-0")))

# -- text: ids of many kinds
ids = ("b2c4d6", "X7hQ_2vNp9LkRz4TwY8sM", "8e-3a1", "b3JkZXIgbnVtYmVyIDE=", "0x7f31a0c0", "01HF7YAT00ABCDEFGHJKMNPQRS")
say(*(f"span {one} has no end" for one in (*ids, "4f0c1d2e-7a8b-4c9d-8e0f-1a2b3c4d5e6f")))

# -- text: lists of ids
say(*(f"not sent: {list(range(7, 7 + count))}" for count in (1, 3, 5)), "not sent: []")

# -- text: times with units
say("answer took 900 ms", "answer took 1.2 s", "answer took 3 minutes", "answer took 2h 5m")

# -- text: a line of the input, above the sign that points into it
say("the rule is wrong\ntotal = (1 +\n           ^", "the rule is wrong\nprice == 17 pieces\n         ^^^^^^")
