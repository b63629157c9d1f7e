//! The front: HTTP with JSON.
//!
//! | request | answer |
//! |---|---|
//! | `POST /orders` | 202 with the order's id; 400 for what is no order; 409 if another order is called so |
//! | `GET /orders/{id}` | 200 with where it stands; 404 |
//! | `POST /orders/{id}/cancel` | 202: it is asked for, and shipping decides; 404; 409 if the order had ended |
//! | `GET /metrics` | 200, for Prometheus |
//! | `GET /health` | 200, and whether nothing is under way; `?within_ms=` waits so long for that |

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tracing::{error, info};

use crate::order::Order;
use crate::parts::Anything;
use crate::shop::{Shop, Taken};
use crate::trace::TraceParent;

const MAX_BODY_BYTES: usize = 16 << 10;
/// The longest that a request may wait.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The whole front.
pub(crate) fn router(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/orders", post(place))
        .route("/orders/{id}", get(look))
        .route("/orders/{id}/cancel", post(cancel))
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .fallback(|| async { refused(StatusCode::NOT_FOUND, "there is no such resource") })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(shop)
}

/// What goes wrong here, and not with the request.
struct Failed(Anything);

impl<E: Into<Anything>> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        error!(why = %self.0, "a request failed");
        refused(StatusCode::SERVICE_UNAVAILABLE, "the order system cannot answer now; ask again later")
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

fn refused(status: StatusCode, why: impl ToString) -> Response {
    answer(status, &json!({ "error": why.to_string() }))
}

async fn place(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Result<Response, Failed> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    // The draft of the header writes its value in quotes; few do.
    let key = header("idempotency-key").map(|key| key.trim_matches('"').to_owned());
    let read = serde_json::from_slice::<Order>(&body).map_err(|error| error.to_string());
    let order = match read.and_then(|order| order.checked(key).map_err(|error| error.to_string())) {
        Ok(order) => order,
        Err(why) => return Ok(refused(StatusCode::BAD_REQUEST, why)),
    };
    // What is no traceparent is passed over, as the recommendation has it.
    let parent = header("traceparent").and_then(|parent| TraceParent::try_from(parent).ok());
    let trace = parent.unwrap_or_else(|| TraceParent::begin(&order.id));
    let id = order.id.clone();
    let taken = shop.place(order, trace).await?;
    info!(order = id, trace_id = trace.trace_id(), span_id = trace.span_id(), ?taken, "place");
    Ok(told(&id, taken))
}

async fn cancel(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Response, Failed> {
    let taken = shop.cancel(id.clone()).await?;
    info!(order = id, ?taken, "cancel");
    Ok(told(&id, taken))
}

fn told(id: &str, taken: Taken) -> Response {
    match taken {
        Taken::Yes => {
            let mut response = answer(StatusCode::ACCEPTED, &json!({ "id": id }));
            if let Ok(place) = format!("/orders/{id}").parse() {
                response.headers_mut().insert(header::LOCATION, place);
            }
            response
        }
        Taken::Conflict => {
            refused(StatusCode::CONFLICT, format!("another order is called `{id}`: give this one another id"))
        }
        Taken::Unknown => refused(StatusCode::NOT_FOUND, format!("there is no order `{id}`")),
        Taken::TooLate(why) => refused(StatusCode::CONFLICT, format!("order `{id}`: {why}")),
        Taken::Faulty => {
            refused(StatusCode::BAD_REQUEST, "`faults` are for tests: start the server with `--allow-faults`")
        }
    }
}

async fn look(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Response, Failed> {
    let Some((tracked, saga)) = shop.look(&id).await? else { return Ok(told(&id, Taken::Unknown)) };
    let mut body = json!({ "id": id, "status": tracked.status, "order": tracked.order });
    let more = [
        ("reason", tracked.reason.map(Value::from)),
        ("saga", saga.map(Value::from)),
        ("cancel_asked", tracked.is_cancel_asked.then_some(Value::Bool(true))),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    Ok(answer(StatusCode::OK, &body))
}

async fn metrics(State(shop): State<Arc<Shop>>) -> Result<Response, Failed> {
    let text = shop.parts.metrics.text(shop.gauges().await?);
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}

async fn health(State(shop): State<Arc<Shop>>, RawQuery(query): RawQuery) -> Result<Response, Failed> {
    let within_ms = match query.as_deref().map(|query| query.strip_prefix("within_ms=").map(str::parse)) {
        None => 0,
        Some(Some(Ok(within_ms))) => within_ms,
        Some(_) => {
            return Ok(refused(
                StatusCode::BAD_REQUEST,
                "`within_ms=` and milliseconds can be asked, and nothing else",
            ));
        }
    };
    let is_at_rest = shop.rests_within(Duration::from_millis(within_ms).min(MAX_WAIT)).await?;
    Ok(answer(StatusCode::OK, &json!({ "status": "ok", "at_rest": is_at_rest })))
}
