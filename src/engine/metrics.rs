//! What is counted, for `/metrics`. Never a record's id as a label.

use crate::record::{ConnectionName, FactKind};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WebhookLabels {
    connection: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FactLabels {
    connection: String,
    fact: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    connection: String,
    call: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DroppedLabels {
    connection: String,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConnectionLabels {
    connection: String,
}

/// The counters, and the registry that prints them.
pub struct Metrics {
    registry: Registry,
    webhooks: Family<WebhookLabels, Counter>,
    dropped: Family<DroppedLabels, Counter>,
    facts: Family<FactLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    held: Family<ConnectionLabels, Gauge>,
    signed_out: Family<ConnectionLabels, Gauge>,
    clocks_apart: Family<ConnectionLabels, Gauge>,
    used: Family<ConnectionLabels, Gauge>,
    allowed: Family<ConnectionLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("leadpact");
        let (webhooks, dropped) = (Family::default(), Family::default());
        let (facts, calls, held) = (Family::default(), Family::default(), Family::default());
        registry.register("webhook_requests", "Webhook requests by how they were answered", Family::clone(&webhooks));
        registry.register(
            "webhook_events_dropped",
            "Events of deliveries that do not concern us, by reason",
            Family::clone(&dropped),
        );
        registry.register("facts", "Facts journalled, by kind", Family::clone(&facts));
        registry.register("calls", "Calls to CRMs and notifiers, by result", Family::clone(&calls));
        registry.register("held", "Recycles that the breaker holds for a person", Family::clone(&held));
        let (used, allowed) = (Family::default(), Family::default());
        registry.register("crm_calls_used", "Calls of the CRM's day used, by anybody", Family::clone(&used));
        registry.register("crm_calls_allowed", "Calls that the CRM allows a day", Family::clone(&allowed));
        let (signed_out, clocks_apart) = (Family::default(), Family::default());
        registry.register("signed_out", "1 while the CRM refuses our credentials", Family::clone(&signed_out));
        let apart = "1 while the CRM's clock and ours are more than five minutes apart";
        registry.register("clocks_apart", apart, Family::clone(&clocks_apart));
        Self { registry, webhooks, dropped, facts, calls, held, signed_out, clocks_apart, used, allowed }
    }
}

impl Metrics {
    /// A webhook request was answered: `stored`, `repeated`, `bad_signature`, `malformed`, …
    /// `connection` is empty where none was found.
    pub fn webhook(&self, connection: &str, result: &'static str) {
        self.webhooks.get_or_create(&WebhookLabels { connection: connection.to_owned(), result }).inc();
    }

    /// An event of a delivery does not concern us.
    pub fn dropped(&self, connection: &ConnectionName, reason: &'static str) {
        self.dropped.get_or_create(&DroppedLabels { connection: connection.to_string(), reason }).inc();
    }

    pub fn fact(&self, connection: &ConnectionName, kind: FactKind) {
        self.facts.get_or_create(&FactLabels { connection: connection.to_string(), fact: kind.as_str() }).inc();
    }

    /// A call to a CRM or a notifier ended.
    pub fn call(&self, connection: &ConnectionName, call: &'static str, result: &'static str) {
        self.calls.get_or_create(&CallLabels { connection: connection.to_string(), call, result }).inc();
    }

    /// How many recycles the breaker holds now.
    pub fn held(&self, connection: &ConnectionName, count: u64) {
        let held = self.held.get_or_create(&ConnectionLabels { connection: connection.to_string() });
        held.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Whether the CRM refuses our credentials.
    pub fn signed_out(&self, connection: &ConnectionName, is_out: bool) {
        self.signed_out.get_or_create(&ConnectionLabels { connection: connection.to_string() }).set(is_out.into());
    }

    /// Whether nothing is done since the CRM's clock and ours do not agree.
    pub fn clocks_apart(&self, connection: &ConnectionName, are_apart: bool) {
        self.clocks_apart.get_or_create(&ConnectionLabels { connection: connection.to_string() }).set(are_apart.into());
    }

    /// This process works the connection no more: how it stands is told by whoever does.
    pub fn forget(&self, connection: &ConnectionName) {
        let labels = ConnectionLabels { connection: connection.to_string() };
        for gauge in [&self.held, &self.signed_out, &self.clocks_apart] {
            gauge.remove(&labels);
        }
    }

    /// The CRM's daily allowance of calls, as its last answer told it.
    pub fn allowance(&self, connection: &ConnectionName, used: u64, limit: u64) {
        let labels = ConnectionLabels { connection: connection.to_string() };
        self.used.get_or_create(&labels).set(i64::try_from(used).unwrap_or(i64::MAX));
        self.allowed.get_or_create(&labels).set(i64::try_from(limit).unwrap_or(i64::MAX));
    }

    /// All of it in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}
