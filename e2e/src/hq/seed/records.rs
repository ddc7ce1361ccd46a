//! The records of the seeded topics.

use serde_json::{Value, json};

use super::super::kafka::log::Record;
use super::BEGIN;

pub(super) fn record(index: u64, key: String, value: Value) -> Record {
    let seconds = i64::try_from(index).unwrap_or(i64::MAX);
    Record {
        key: key.into(),
        value,
        timestamp: BEGIN.saturating_add(seconds.saturating_mul(1_000)),
    }
}

/// One of `choices`, in turn.
fn pick<'choice>(choices: &[&'choice str], index: u64) -> &'choice str {
    let count = choices.len().max(1) as u64;
    usize::try_from(index % count).ok().and_then(|at| choices.get(at)).copied().unwrap_or_default()
}

/// An amount of money from cents.
fn money(cents: u64) -> f64 {
    f64::from(u32::try_from(cents).unwrap_or(u32::MAX)) / 100.0
}

/// 120 customers, then tombstones for those numbered 40, 80 and 120.
pub(super) fn customer(index: u64) -> Record {
    if index >= 120 {
        return record(index, format!("customer-{}", (index - 119) * 40), Value::Null);
    }
    let id = index + 1;
    let value = json!({
        "customer_id": id,
        "name": format!(
            "{} {}", pick(&["Ada", "Grace", "Alan", "Edsger", "Barbara"], index),
            pick(&["Miller", "Novak", "Okafor"], index)
        ),
        "email": format!("customer{id}@example.com"),
        "country": pick(&["DE", "FR", "GR", "GB", "US"], index),
        "vip": id.is_multiple_of(10),
    });
    record(index, format!("customer-{id}"), value)
}

pub(super) fn order(index: u64) -> Record {
    let id = index + 1;
    let value = json!({
        "order_id": id,
        "customer_id": index * 7 % 120 + 1,
        "product_id": index * 11 % 60 + 1,
        "quantity": index % 4 + 1,
        "amount": money(1_999 + index * 137 % 20_000),
        "currency": pick(&["EUR", "USD", "GBP"], index),
        "status": pick(&["PLACED", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"], index),
    });
    record(index, format!("order-{id}"), value)
}

pub(super) fn payment(index: u64) -> Record {
    let id = index + 1;
    let value = json!({
        "payment_id": format!("pay-{id:05}"),
        "order_id": id,
        "amount": money(1_999 + index * 137 % 20_000),
        "currency": pick(&["EUR", "USD", "GBP"], index),
        "method": pick(&["card", "card", "paypal", "transfer"], index),
        "card": {
            "brand": pick(&["visa", "mastercard"], index),
            "last4": format!("{:04}", index * 37 % 10_000)
        },
        "status": if id.is_multiple_of(20) { "FAILED" } else { "SETTLED" },
    });
    record(index, format!("pay-{id:05}"), value)
}

pub(super) fn product(index: u64) -> Record {
    let id = index + 1;
    let value = json!({
        "product_id": id,
        "name": format!("{} {id}", pick(&["Chair", "Lamp", "Desk", "Shelf"], index)),
        "category": pick(&["seating", "lighting", "tables", "storage"], index),
        "price": money(1_999 + index * 250),
    });
    record(index, format!("product-{id}"), value)
}

pub(super) fn shipment(index: u64) -> Record {
    let id = index + 1;
    let value = json!({
        "shipment_id": format!("ship-{id:04}"),
        "order_id": id,
        "carrier": pick(&["DHL", "UPS", "GLS"], index),
        "delivered": !index.is_multiple_of(3),
    });
    record(index, format!("ship-{id:04}"), value)
}

pub(super) fn inventory_update(index: u64) -> Record {
    let product = index * 13 % 60 + 1;
    let change = i64::try_from(index % 21).unwrap_or_default() - 10;
    let value = json!({
        "product_id": product, "warehouse": pick(&["Berlin", "Lyon", "Athens"], index),
        "delta": change
    });
    record(index, format!("product-{product}"), value)
}

pub(super) fn refund(index: u64) -> Record {
    let order = index * 20 + 1;
    let value = json!({
        "order_id": order,
        "amount": money(500 + index * 99),
        "reason": pick(&["damaged", "late", "changed mind"], index),
    });
    record(index, format!("order-{order}"), value)
}

pub(super) fn page_view(index: u64) -> Record {
    let session = format!("s-{}", index / 8);
    let path = pick(&["/", "/search", "/product", "/cart", "/checkout"], index);
    let value = json!({
        "session": session, "path": path,
        "customer_id": index.is_multiple_of(3).then(|| index % 120 + 1)
    });
    record(index, session, value)
}

pub(super) fn big_event(index: u64) -> Record {
    let kind = pick(&["created", "changed", "deleted"], index);
    let value = json!({"sequence": index, "kind": kind, "payload": format!("{index:064}")});
    record(index, format!("event-{index}"), value)
}
