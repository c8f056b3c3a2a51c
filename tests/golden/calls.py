"""Log calls of all forms: each case is a program, and its messages are shown as readers get them.

``python -m tools.golden`` runs each with what stands before the first; ``log``, ``run_file`` and
``wait`` are handed in. A case that logs several records logs one incident, or waits between them: so their order is
always the same. No secret stands here as a whole: each is put together when it is logged.
"""
# ruff: noqa: F821, UP031 - names that are handed in; ways of formatting that people have

import logging
import random

bank = log.getChild("bank")
LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"


def secret(prefix="", length=32, of=LETTERS):
    """The same in each run."""
    return prefix + "".join(random.Random(prefix + of).choices(of, k=length - 1)) + "7"


def raised(error, cause=None):
    """An exception with a traceback."""
    try:
        raise error from cause
    except BaseException as found:
        return found


# -- a text
log.error("the disk is full")

# -- a template and its arguments
log.error("order %d of %s cannot be priced: %.2f", 4711, "amy", 88)

# -- a template that comes three times
for order in (17, 18, 19):
    log.error("order %d cannot be priced", order)

# -- an f-string
order = 4711
log.error(f"order {order} cannot be priced")

# -- an f-string that comes three times
for order in (17, 18, 19):
    log.error(f"order {order} cannot be priced")

# -- str.format
log.error("order {} of {user!r} cannot be priced".format(4711, user="amy"))

# -- the operator %
log.error("order %s cannot be priced" % 4711)

# -- arguments in a dict
log.error("order %(order)d of %(user)s cannot be priced", {"order": 4711, "user": "amy"})

# -- a template with a percent sign
log.error("the disk is 97%% full, limit %d%%", 90)

# -- a percent sign without arguments
log.error("the disk is 97% full")

# -- too few arguments
log.error("order %d of %s", 4711)

# -- too many arguments
log.error("order %d", 4711, "amy")

# -- an argument of the wrong type
log.error("order %d", "amy")

# -- a template that is a placeholder alone
log.error("%s", "the bank said no")

# -- a message that is an exception
log.error(ValueError("no price"))

# -- a message that is a number
log.error(4711)

# -- a message that is None
log.error(None)

# -- a message that is a dict
log.error({"event": "refused", "order": 4711, "lines": [1, 2]})

# -- a message that is bytes
log.error(b"answer: \xff\x00 end")

# -- a message whose text cannot be made


class Broken:
    def __str__(self):
        raise RuntimeError("no text")


log.error(Broken())

# -- an argument whose text cannot be made


class Broken:
    def __repr__(self):
        raise RuntimeError("no text")

    __str__ = __repr__


log.error("order %s", Broken())

# -- an empty message
log.error("")

# -- a message of blanks
log.error("  \t ")

# -- an exception as an argument
log.error("payment failed: %s", raised(TimeoutError("the bank is late")))

# -- an exception by exception()
try:
    {}["price"]
except KeyError:
    log.exception("order %d cannot be priced", 4711)

# -- exc_info=True without an exception
log.error("nothing was raised", exc_info=True)

# -- exc_info that is an exception
log.error("payment failed", exc_info=raised(ConnectionError("reset by bank.example")))

# -- exc_info that is a tuple
error = raised(OSError(28, "No space left on device", "/data/orders.csv"))
log.error("cannot write", exc_info=(type(error), error, error.__traceback__))

# -- an exception that was never raised
log.error("payment failed", exc_info=ValueError("made, not raised"))

# -- an exception without a text
log.error("payment failed", exc_info=raised(TimeoutError()))

# -- an exception that is the message, too
try:
    raise ValueError("no price for tea")
except ValueError as error:
    log.exception(error)

# -- an exception whose text the message repeats
try:
    raise ValueError("no price for tea")
except ValueError as error:
    log.exception(f"pricing failed: {error}")

# -- an exception with a text of several lines
log.error("reading failed", exc_info=raised(ValueError("row 1: no price\nrow 2: no name\nrow 3: no pieces")))

# -- an exception with notes
error = raised(ValueError("no price"))
error.add_note("while pricing order 4711")
error.add_note("the price list is of 2026-11-24\nand was never checked")
log.error("pricing failed", exc_info=error)

# -- a cause
log.error("nothing was paid", exc_info=raised(RuntimeError("no payment"), raised(TimeoutError("the bank is late"))))

# -- a chain of four causes
error = raised(OSError(111, "Connection refused"))
for text in ("no connection", "no session", "no payment"):
    error = raised(RuntimeError(text), error)
log.error("nothing was paid", exc_info=error)

# -- an exception while another was handled
try:
    try:
        {}["price"]
    except KeyError:
        [][17]
except IndexError:
    log.exception("pricing failed twice")

# -- an exception that hides its context
try:
    try:
        {}["price"]
    except KeyError:
        raise LookupError("no price for tea") from None
except LookupError:
    log.exception("pricing failed")

# -- a cause that is a circle
first, second = raised(ValueError("egg")), raised(ValueError("hen"))
first.__cause__, second.__cause__ = second, first
log.error("who was first", exc_info=first)

# -- an exception group
errors = [ValueError("no price"), raised(KeyError("amount")), OSError(28, "No space left on device")]
log.error("three jobs failed", exc_info=raised(ExceptionGroup("jobs", errors)))

# -- an exception group of many that are alike
errors = [TimeoutError(f"shop {number} is late") for number in range(12)]
log.error("a dozen shops are late", exc_info=raised(ExceptionGroup("shops", errors)))

# -- a group within a group, with a cause and a note
inner = ExceptionGroup("inner", [raised(ValueError("no price"), raised(KeyError("tea")))])
inner.add_note("of order 4711")
log.error("nested", exc_info=raised(ExceptionGroup("outer", [inner, TimeoutError("late")])))

# -- an exception of an inner class


def run():
    class PriceError(Exception):
        pass

    raise PriceError("no price for tea")


try:
    run()
except Exception:
    log.exception("pricing failed")

# -- KeyboardInterrupt
log.critical("stopped by hand", exc_info=raised(KeyboardInterrupt()))

# -- SystemExit
log.critical("the program ends", exc_info=raised(SystemExit(3)))

# -- a syntax error
try:
    compile("total = (1 +\n", "rules/vat.py", "exec")
except SyntaxError as error:
    log.error("the rules cannot be read: %s", type(error).__name__)

# -- a deep traceback


def dig(depth):
    return dig(depth - 1) if depth else 1 / 0


def begin(depth):
    return dig(depth)


try:
    begin(300)
except ZeroDivisionError:
    log.exception("it went deep")

# -- a long chain of functions


def pack(order):
    return weigh(order)


def weigh(order):
    return find(order)


def find(order):
    return read(order)


def read(order):
    return order["weight"]


try:
    pack({})
except KeyError:
    log.exception("cannot pack")

# -- frames of libraries between those of the program
web = run_file(
    f"{LIBRARIES}/tinyweb/app.py",
    """def serve(view):
    return middle(view)

def middle(view):
    return inner(view)

def inner(view):
    return view()
""",
    {},
)
money = run_file(
    f"{LIBRARIES}/coins/money.py",
    """def parse(text):
    return digits(text)

def digits(text):
    raise ValueError(f"not an amount: {text!r}")
""",
    {},
)


def view():
    return money["parse"]("ten")


try:
    web["serve"](view)
except ValueError:
    log.exception("a page failed")

# -- frames without source
try:
    exec("def total(lines):\n    return sum(lines) / len(lines)\n\ntotal([])", {})
except ZeroDivisionError:
    log.exception("a rule failed")

# -- a traceback that is text already
record = log.makeRecord("shop", 40, "shop/queue.py", 17, "a child failed", (), None, "work")
record.exc_text = """Traceback (most recent call last):
  File "/srv/shop/child.py", line 9, in work
    pay(order)
  File "/srv/shop/child.py", line 5, in pay
    raise PermissionError("the signature is wrong")
PermissionError: the signature is wrong"""
log.handle(record)

# -- a traceback within the message
log.error("""a child failed
Traceback (most recent call last):
  File "/srv/shop/child.py", line 9, in work
    pay(order)
ValueError: no price for tea
""")

# -- stack_info


def pay():
    log.error("who called this?", stack_info=True)


pay()

# -- stack_info with an exception
try:
    {}["price"]
except KeyError:
    log.exception("pricing failed", stack_info=True)

# -- stacklevel


def warn(text):
    log.error(text, stacklevel=2)


def pay():
    warn("nothing was paid")


pay()

# -- level DEBUG
log.debug("a look at order %d", 4711)

# -- level INFO
log.info("order %d was paid", 4711)

# -- level WARNING
log.warning("order %d is late", 4711)

# -- level CRITICAL
log.critical("nobody can pay")

# -- a level between two
log.log(35, "more than a warning")

# -- a level with a name of its own
logging.addLevelName(45, "ALARM")
log.log(45, "the door is open")

# -- a child logger
bank.error("the bank is closed")

# -- a logger far below
bank.getChild("transfer.sepa").error("no answer")

# -- a LoggerAdapter
logging.LoggerAdapter(log, {"order": 4711}).error("cannot be priced")

# -- extra that is not ours
log.error("cannot be priced", extra={"order": 4711, "user": "amy"})

# -- fields
log.error(
    "payment refused", extra={"wecom": {"fields": {"order": 4711, "amount": 88.5, "用户": "张三", "items": ["tea"]}}}
)

# -- fields of odd kinds
odd = {"empty": "", "none": None, 17: "a number as name", "lines": "one\ntwo", "long": "x" * 400, "a b": True}
log.error("payment refused", extra={"wecom": {"fields": odd}})

# -- a field that is a secret
log.error("payment refused", extra={"wecom": {"fields": {"order": 4711, "password": secret(length=12)}}})

# -- a title
log.error("order %d: the bank said no", 4711, extra={"wecom": {"title": "支付失败"}})

# -- a title, fields and an exception
extra = {"wecom": {"title": "Payment refused", "fields": {"order": 4711}}}
log.error("the bank said no", exc_info=raised(PermissionError("the signature is wrong")), extra=extra)

# -- a fingerprint that makes two texts one
for text in ("tea is sold out", "rice is sold out"):
    log.error(text, extra={"wecom": {"fingerprint": "stock"}})

# -- a fingerprint that makes one text two
for shop in ("north", "south"):
    log.error("the shop is closed", extra={"wecom": {"fingerprint": shop}})
    wait(1)

# -- recipients of a record
log.error("the cellar is wet", extra={"wecom": {"users": ["zoe"], "mention": ["zoe"]}})

# -- several lines
log.error("three shops are closed:\nnorth\n  south, since 09:00\n\nwest\n")

# -- several lines, with carriage returns
log.error("first\r\nsecond\rthird")

# -- a table in columns
log.error("stock\nitem    pieces\ntea        17\nrice        0")

# -- markdown and HTML in a text
log.error('**bold** _it_ `code` [link](https://shop.example) <b>b</b> <font color="info">x</font> # > - 1.')

# -- mentions in a text
log.error("ask <@zhangsan> or @all, not @amy")

# -- an address of the web in a text
log.error("see https://shop.example/orders/4711?page=2#top, (http://10.0.0.7:8080/x) or www.shop.example.")

# -- Chinese
log.error("订单 %d 支付失败：余额不足（用户：%s）", 4711, "张三")

# -- Chinese that comes three times
for order in (17, 18, 19):
    log.error(f"订单 {order} 支付失败：余额不足")

# -- Chinese with an exception
log.error("支付失败", exc_info=raised(ValueError("金额不能为负数：-5")))

# -- signs of other writings
log.error("заказ 17 · 注文 17 · طلب 17 · 🍵 👩‍💻 e\u0301 ﬁ \u2028 end")

# -- control characters
log.error("bell \x07 null \x00 escape \x1b[31mred\x1b[0m back\x08space tab\tend \x7f")

# -- signs that turn or hide a text
log.error("right \u202eto left\u202c zero\u200bwidth \ufeff soft\u00adhyphen")

# -- half of a surrogate pair
log.error("broken \ud83d text")

# -- a very long line
log.error("long: " + "tea and rice " * 400)

# -- a very long Chinese line
log.error("长：" + "茶叶和大米，" * 400)

# -- a text of many lines
log.error("\n".join(f"line {number}: {'tea ' * 50}" for number in range(20)))

# -- a very long word
log.error("x" * 5000)

# -- a very long text of an exception
log.error("reading failed", exc_info=raised(ValueError("row: " + ", ".join(map(str, range(2000))))))

# -- a password by its name
value = secret(length=14)
log.error(f"connect user=amy password={value} host=db1 failed")

# -- secrets in JSON and in a dict
log.error('answer: {"user": "amy", "access_token": "%s", "expires": 7200}', secret())
wait(1)
log.error("options: %s", {"user": "amy", "api_key": secret(length=20), "retry": 3})

# -- secrets in headers
log.error("sent Authorization: %s and Cookie: sid=%s; lang=en", "Bearer " + secret(), secret("s"))

# -- secrets in URLs
log.error("GET https://amy:%s@shop.example/x?page=2&token=%s&full=1 failed", secret(length=12), secret("q"))

# -- secrets by their form
log.error(
    "pushed with %s, stored with %s", secret("gh" + "p_", 36), secret("AK" + "IA", 16, "ABCDEFGHJKLMNPQRSTUVWXYZ234567")
)
wait(1)
key = "-".join(secret(length=length, of="0123456789abcdef") for length in (8, 4, 4, 4, 12))
log.error("told by %s", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={key}")

# -- a JSON Web Token and a private key
parts = [secret("ey" + "J", 40), secret("ey" + "J0", 60), secret("", 43)]
log.error("refused: %s", ".".join(parts))
wait(1)
kind = "PRIVATE" + " KEY-----"
log.error("the key:\n-----BEGIN %s\n%s\n%s\n-----END %s\nis too old", kind, secret("a", 64), secret("b", 30), kind)

# -- secrets with Chinese names
log.error(f"登录失败，用户：张三，密码：{secret(length=12)}，验证码：482913")

# -- a secret in a command and in a connection
log.error("run: mysql -h db1 -u amy -p%s shop", secret(length=12))
wait(1)
log.error("no way to postgresql://amy:%s@db1.shop.example:5432/orders", secret(length=12))

# -- a secret in a line of source
code = f"""def connect(host, user, password):
    raise PermissionError(f"access denied for {{user!r}} (password={{password!r}})")

connect("db1", "amy", password="{secret(length=12)}")
"""
try:
    run_file("shop/db.py", code, {})
except PermissionError:
    log.exception("no way in")

# -- words that only look like secrets
log.error("password is missing, token expired, the key of the cellar is lost, secret=None, auth: basic")

# -- one that goes on for hours, and ends
for minute in range(6):
    log.error("the bank is late by %d s", minute)
    wait(60)
wait(6 * 3600)

# -- names that become one incident
for name in ("amy", "ben", "cleo", "dan", "eva", "finn", "gina"):
    log.error(f"no account of {name}")
    wait(1)

# -- a critical one that comes again
for _ in range(3):
    log.critical("nobody can pay")
wait(3600)
