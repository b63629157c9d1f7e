//! Two services that talk through events, each change and its events in one transaction; and a crash in between.
//!
//! ```text
//! cargo run -p lawspeaker-bus --example outbox
//! ```

#![expect(clippy::print_stdout, reason = "an example tells what happens")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use lawspeaker_bus::bus::{Bus, Config, Service, ServiceConfig};
use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::{Decision, Failure};

/// The state of each order.
type Orders = BTreeMap<String, String>;
/// How many of each thing there are.
type Stock = BTreeMap<String, u32>;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    {
        let bus = Arc::new(Bus::open(directory.path(), Config::default())?);
        bus.create_topic("orders", 2)?;
        bus.create_topic("stock", 2)?;
        let stock = bus.service::<Stock>("stock", ServiceConfig::default())?;
        stock.transact(0, |_| Decision::put("apples", 3))?;

        println!("1. Two orders are placed: each is stored together with the event that says so.");
        let orders = bus.service::<Orders>("orders", ServiceConfig::default())?;
        for (order, request) in [("17", "request-1"), ("17", "request-1"), ("18", "request-2")] {
            let handled = orders.command(request, 0, |_| {
                let event = Message::new(format!("{order}/placed").as_str(), "apples 2").key(order);
                Decision::put(order, "placed".to_owned()).emit("orders", event)
            })?;
            println!("   {request} places order {order}: {handled:?}");
        }
        println!(
            "2. The power fails before anything is published: {} events are owed.",
            orders.store().owed_count()
        );
    }

    let bus = Arc::new(Bus::open(directory.path(), Config::default())?);
    let orders = bus.service::<Orders>("orders", ServiceConfig::default())?;
    let stock = bus.service::<Stock>("stock", ServiceConfig::default())?;
    println!("3. After the restart a relay publishes them.");
    println!("   {} events are published", orders.relay()?.step()?);

    println!("4. The stock reserves what it has, and refuses what it has not.");
    run(&stock, "orders", reserve)?;
    println!(
        "   {} apples are left; {} answers are owed",
        stock.view(|stock| stock["apples"])?,
        stock.store().owed_count()
    );
    stock.relay()?.step()?;

    println!("5. The orders learn of it.");
    run(&orders, "stock", |orders: &Orders, answer: &Message| {
        let order = answer.key.clone().unwrap_or_default();
        Ok(match orders.get(&order) {
            Some(_) => Decision::put(order, answer.kind.clone()),
            None => Decision::refuse("no such order"),
        })
    })?;
    orders.view(|orders| orders.iter().for_each(|(order, state)| println!("   order {order}: {state}")))?;
    Ok(())
}

/// Takes from the stock what an order asks for, or says that it cannot.
fn reserve(
    stock: &Stock,
    order: &Message,
) -> Result<Decision<lawspeaker_bus::outbox::Entry<String, u32>>, Failure> {
    let text = str::from_utf8(&order.payload)?;
    let (thing, count) = text.split_once(' ').ok_or_else(|| Failure::new("no thing and count"))?;
    let key = order.key.clone().unwrap_or_default();
    let answer = |kind: &str| Message::new(format!("{key}/{kind}").as_str(), "").key(&key).kind(kind);
    let left = stock.get(thing).and_then(|there| there.checked_sub(count.parse().ok()?));
    Ok(match left {
        Some(left) => Decision::put(thing, left).emit("stock", answer("reserved")),
        None => Decision::refuse("too few").emit("stock", answer("out-of-stock")),
    })
}

/// Handles all that there is in a topic.
fn run<S: lawspeaker_bus::outbox::State>(
    service: &Service<S>,
    topic: &str,
    handler: impl lawspeaker_bus::outbox::Handler<S>,
) -> Result<(), Box<dyn Error>> {
    let mut handler = service.handler(topic, handler)?;
    while handler.step(0)?.done_count > 0 {}
    handler.leave()?;
    Ok(())
}
