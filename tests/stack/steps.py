"""What is done to the stack, one function a step. Each raises RuntimeError when something is wrong."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.stack import checks, images
from tests.stack.project import IMAGE, OURS, SERVERS, Project
from tests.stack.shop import ADDRESS, PASSWORD, Customer, Shop
from tests.stack.transcript import Transcript

ARRIVE_SECONDS = 60
STAFF = "operator@example.com"
KILL_ALL = """\
import os
for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
    if pid not in (1, os.getpid()):
        os.kill(pid, 9)
"""


@dataclass
class Stage:
    """What the steps share: the stack, a client, who has signed up, and which orders have been acknowledged."""

    project: Project
    shop: Shop
    transcript: Transcript
    buyer: str = ""
    product: str = ""
    orders: list[str] = field(default_factory=list)
    killed: frozenset[str] = frozenset()

    def compose(self, *arguments: str) -> str:
        """Run a compose command, and show it."""
        self.transcript.command(f"{self.project.shown} {' '.join(arguments)}")
        return self.project.compose(*arguments)

    def up(self, *arguments: str) -> None:
        """Bring everything up and wait until it is healthy."""
        began = time.monotonic()
        self.compose("up", "--detach", *arguments)
        self.project.wait_until_healthy()
        self.transcript.say(f"everything is healthy after {time.monotonic() - began:.0f} s")

    def buy(self, count: int) -> None:
        """Order so many pieces."""
        for _ in range(count):
            self.orders.append(self.shop.order(self.buyer, self.product, uuid.uuid4().hex)["id"])

    def customer(self) -> Customer:
        """Return a customer who has begun to buy."""
        customer = Customer(self.shop, self.buyer, self.product)
        customer.start()
        return customer

    def take(self, customer: Customer) -> None:
        """Let a customer finish, and remember what was bought."""
        customer.finish()
        self.orders += customer.orders
        self.transcript.say(
            f"the customer has {len(customer.orders)} orders, and had to ask {customer.refusals} times again"
        )

    def compare(self) -> None:
        """Wait until MySQL has exactly the orders that were acknowledged, each with its line."""
        began, wanted = time.monotonic(), sorted([order, "1"] for order in self.orders)
        query = "select order_id, count(*) from orders join order_items using (order_id) group by order_id order by 1"
        while (rows := self.project.sql(query)) != wanted:
            if time.monotonic() - began > ARRIVE_SECONDS:
                raise RuntimeError(f"{len(wanted)} orders were acknowledged, MySQL has {len(rows)}")
            time.sleep(0.2)  # rows come without an event
        self.transcript.say(f"all {len(wanted)} orders are in MySQL, with their lines, and no others")


def image(stage: Stage) -> None:
    """Build the image."""
    before = images.identifiers(IMAGE)
    stage.compose("build")
    images.discard([old for old in before if old not in images.identifiers(IMAGE)])
    stage.transcript.say(checks.image())


def up(stage: Stage) -> None:
    """Bring everything up from nothing."""
    stage.up()


def containers(stage: Stage) -> None:
    """Look at the containers."""
    say = stage.transcript.say
    say("\n".join(checks.processes(stage.project)))
    checks.confinement(stage.project)
    say("app, relay, consumer: read-only, without capabilities; no port but the API's, on 127.0.0.1")
    say("\n".join(checks.operators_port(stage.project)))


def front(stage: Stage) -> None:
    """Ask the API without a proxy, under a wrong name, and for its pages."""
    refused = {"as plain HTTP": ({"X-Forwarded-Proto": "http"}, 301), "for another host": ({"Host": "evil.test"}, 400)}
    for said, (headers, expected) in refused.items():
        status, _ = stage.shop.ask("GET", "/products", headers=headers)
        stage.transcript.say(f"GET /products {said}: {status}")
        if status != expected:
            raise RuntimeError(f"{said}: {status}, not {expected}")
    for path in ("/health/ready", "/admin/login/", "/docs"):
        answer = stage.shop.get(path, path)
        stage.transcript.say(f"GET {path}: {answer if isinstance(answer, dict) else f'a page of {len(answer)} bytes'}")


def staff(stage: Stage) -> None:
    """Make the first staff account, log in, ask for a report."""
    password, variable = uuid.uuid4().hex, "DJANGO_SUPERUSER_PASSWORD"
    command = ["app", "python", "manage.py", "createsuperuser", "--no-input", "--username", "operator"]
    command += ["--email", STAFF]
    stage.transcript.command(f"{stage.project.shown} exec -T -e {variable}=... {' '.join(command)}")
    stage.transcript.say(stage.project.compose("exec", "-T", "-e", f"{variable}={password}", *command))
    token = stage.shop.log_in(STAFF, "staff", password)
    report = stage.shop.get("the dashboard", "/reports/dashboard", token=token)
    stage.transcript.say(f"GET /reports/dashboard as {STAFF}: {len(report)} parts")


def walk(stage: Stage) -> None:
    """Sign up, sell, buy; look at the rows."""
    shop, name = stage.shop, "Oak & Co"
    shop.get("sign-up", "/users", {"email": "ada@example.com", "password": PASSWORD, "display_name": "Ada"})
    stage.buyer = shop.log_in("ada@example.com", "user")
    contact = {"primary_email": "hello@oak.example", "primary_phone": "+1 555 0100"}
    company = {"legal_name": name, "business_address": ADDRESS}
    shop.get("supplier", "/suppliers", {"password": PASSWORD, "contact_info": contact, "company_info": company})
    seller = shop.log_in("hello@oak.example", "supplier")
    desk = {"name": "Oak desk", "category": "home_garden", "base_sku": "OAK-1", "base_price_cents": 24900}
    stage.product = shop.get("product", "/products", desk, seller)["id"]
    shop.get("publish", f"/products/{stage.product}/publish", {}, seller)
    stage.transcript.say(f"{name} sells an oak desk, Ada buys it")
    stage.buy(1)
    stage.compare()
    query = "select order_number, customer_display_name, status, total_cents from orders"
    stage.transcript.command(f'mysql -e "{query}"')
    stage.transcript.say("  ".join(stage.project.sql(query)[0]))


def scale(stage: Stage) -> None:
    """Run three consumers and two relays, and write more."""
    stage.up("--no-recreate", "--scale", "consumer=3", "--scale", "relay=2")
    stage.buy(30)
    stage.compare()
    stage.transcript.say(checks.shares(stage.project))
    checks.restarts(stage.project)


def kill(stage: Stage) -> None:
    """Kill an API, a relay and a consumer, all at once; Docker starts them again."""
    for name in OURS:
        stage.project.run_in(name, "python", "-c", KILL_ALL)
    stage.killed = frozenset(OURS)
    customer = stage.customer()
    customer.wait_for(10)
    stage.take(customer)
    stage.project.wait_until_healthy()
    counts = {name: stage.project.containers(name)[0]["RestartCount"] for name in OURS}
    stage.transcript.say(f"started again by Docker: {counts}")
    if set(counts.values()) != {1}:
        raise RuntimeError(f"killed once each, started again {counts}")
    stage.compare()


def restart(stage: Stage) -> None:
    """Restart each service in turn, while a customer goes on buying."""
    customer = stage.customer()
    for service in (*SERVERS, "app", "relay", "consumer"):
        stage.compose("restart", "--timeout", "30", service)
        seconds = stage.project.wait_until_healthy()
        customer.wait_for(3)
        stage.transcript.say(f"healthy again after {seconds:.0f} s, {len(customer.orders)} orders so far")
    stage.take(customer)
    stage.compare()


def verify(stage: Stage) -> None:
    """Compare every row with MongoDB, and read the logs."""
    stage.transcript.say(stage.compose("exec", "-T", "app", "python", "manage.py", "verify_analytics", "--settle", "2"))
    stage.transcript.say("\n".join(checks.json_logs(stage.project)))
    checks.no_secrets(stage.project)
    checks.restarts(stage.project, stage.killed)
    stage.transcript.say("no secret in a log or in the image; nothing but what was killed has been started again")


def prepare_twice(stage: Stage) -> None:
    """Run the migrate job twice at the same time, beside everything else."""
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(stage.compose, "run", "--rm", "-T", "migrate") for _ in range(2)]
        for job in jobs:
            job.result()
    stage.transcript.say("both are done")


def down_and_up(stage: Stage) -> None:
    """Take everything down but the volumes, bring it up again, and buy some more."""
    stage.compose("down")
    stage.up()
    listed = stage.shop.get("orders", "/orders?limit=100", token=stage.shop.log_in("ada@example.com", "user"))
    stage.transcript.say(f"the API lists the {len(listed)} last orders")
    stage.compare()
    stage.buy(3)
    stage.compare()
    checks.restarts(stage.project)


ALL = (image, up, containers, front, staff, walk, scale, kill, restart, verify, prepare_twice, down_and_up)
QUICK = tuple(step for step in ALL if step not in (kill, restart, prepare_twice, down_and_up))
