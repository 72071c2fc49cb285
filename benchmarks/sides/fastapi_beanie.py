"""The comparison service on FastAPI and Beanie: reading products, and placing an order by plain inserts.

Written as one would with these two: typed documents, projections straight into response models. No transaction, no
stock, no events.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import pymongo
from beanie import PydanticObjectId, init_beanie
from beanie.operators import In
from fastapi import FastAPI, Header, HTTPException, Query

from benchmarks.sides.fastapi_models import Customer, Order, OrderCreate, Product, ProductOut, User, order_line

VISIBLE = ["active", "out_of_stock", "discontinued"]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Connect Beanie while the service runs."""
    client: pymongo.AsyncMongoClient[dict[str, Any]] = pymongo.AsyncMongoClient(
        os.environ["MONGODB_URL"], tz_aware=True
    )
    await init_beanie(database=client[os.environ["DATABASE_NAME"]], document_models=[Product, User, Order])
    yield
    await client.close()


app = FastAPI(lifespan=lifespan)


@app.get("/products/{product_id}")
async def product_get(product_id: PydanticObjectId) -> ProductOut:
    """Answer one product."""
    product = await Product.find_one({"_id": product_id, "status": {"$in": VISIBLE}}, projection_model=ProductOut)
    if product is None:
        raise HTTPException(404)
    return product


@app.get("/products")
async def product_list(
    limit: Annotated[int, Query(ge=1, le=100)] = 20, skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0
) -> list[ProductOut]:
    """Answer the newest products."""
    found = Product.find(In(Product.status, VISIBLE), projection_model=ProductOut)
    return await found.sort("-created_at", "-_id").skip(skip).limit(limit).to_list()


@app.post("/orders", status_code=201)
async def order_create(body: OrderCreate, x_user_id: Annotated[PydanticObjectId, Header()]) -> Order:
    """Store an order at today's prices."""
    user = await User.get(x_user_id)
    if user is None:
        raise HTTPException(401)
    found = await Product.find(In(Product.id, [line.product_id for line in body.items])).to_list()
    products = {product.id: product for product in found if product.status == "active"}
    try:
        items = [order_line(n, line, products[line.product_id]) for n, line in enumerate(body.items, start=1)]
    except KeyError as error:
        raise HTTPException(422) from error
    moment = datetime.now(UTC)
    customer = Customer(
        user_id=user.id,
        display_name=user.profile.display_name,
        email=user.contact_info.primary_email,
        phone=user.contact_info.phone,
    )
    address = body.shipping_address
    order = Order(created_at=moment, updated_at=moment, customer=customer, items=items, shipping_address=address)
    return await order.insert()
