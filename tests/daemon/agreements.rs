//! The agreements of these tests, as files would have them: what all share, and each clock. Promises
//! are seconds long.

/// Title, parties and stages. `settle` and the effective day are the same for all.
const HEAD: &str = r#"
title     = "Acme sales and marketing agreement"
version   = "test"
effective = 2026-01-05
settle    = "1s"

[parties.marketing]
notify = ["slack:#marketing"]

[parties.teleprospecting]
notify = ["slack:#tele"]

[parties.field_sales]
manager = "email:boss@acme.example"
notify  = ["slack:#sales"]

[[stage]]
name = "mql"
term = "Marketing qualified lead"
of   = "lead"
when = 'status == "Qualified by marketing"'

[[stage]]
name = "tal"
term = "Teleprospecting accepted lead"
of   = "lead"
when = 'status == "Accepted"'

[[stage]]
name = "tql"
term = "Teleprospecting qualified lead"
of   = "lead"
when = 'status == "Qualified by teleprospecting"'

[[stage]]
name = "sal"
term = "Sales accepted lead"
of   = "lead"
when = 'status == "Working"'

[[stage]]
name = "sql"
term = "Sales qualified lead"
of   = "opportunity"
when = 'status == "open"'

[[stage]]
name = "won"
term = "Closed won"
of   = "opportunity"
when = 'status == "won"'
ends = "won"

[[stage]]
name = "lost"
term = "Closed lost"
of   = "opportunity"
when = 'status == "lost"'
ends = "lost"

[[stage]]
name = "rejected"
term = "Rejected lead"
of   = "lead"
when = 'status == "Rejected"'
ends = "rejected"

[recycling]
to         = "teleprospecting"
quiet      = true
set        = { status = "Qualified by marketing" }
spare      = "1h"
stop_above = { count = 10000, share_of_open = 1.0, share_of_owner = 1.0 }
"#;

fn with_head(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

/// The same, to be signed by marketing and field sales.
pub fn to_be_signed(agreement: &str) -> String {
    let mut text = agreement.to_owned();
    for (party, name, title) in [("marketing", "Dana Reyes", "CMO"), ("field_sales", "Lee Okafor", "VP Sales")] {
        let signs = format!("signs = {{ name = \"{name}\", title = \"{title}\", email = \"{party}@acme.example\" }}");
        text = text.replace(&format!("[parties.{party}]\n"), &format!("[parties.{party}]\n{signs}\n"));
    }
    text
}

/// Field sales follows up within two seconds; a second later the lead goes back.
pub fn follow_up() -> String {
    with_head(
        r##"
[[handoff]]
name = "Teleprospecting to field sales"
from = "teleprospecting"
to   = "field_sales"
at   = "tql"

  [[handoff.clock]]
  name   = "First follow-up"
  until  = 'reached("sal")'
  within = "2s"
  steps  = [
    { at = "due", notify = ["slack:#sales", "email:boss@acme.example"] },
    { at = "+1s", recycle = true },
  ]
"##,
    )
}

/// The same without messages, the lead going back at the deadline.
pub fn swift(within: &str) -> String {
    with_head(&format!(
        r#"
[[handoff]]
name = "Teleprospecting to field sales"
from = "teleprospecting"
to   = "field_sales"
at   = "tql"

  [[handoff.clock]]
  name   = "First follow-up"
  until  = 'reached("sal")'
  within = "{within}"
  steps  = [{{ at = "due", recycle = true }}]
"#,
    ))
}

/// A task at the deadline, and the owner is told.
pub fn with_task() -> String {
    with_head(
        r#"
[[handoff]]
name = "Teleprospecting to field sales"
from = "teleprospecting"
to   = "field_sales"
at   = "tql"

  [[handoff.clock]]
  name   = "First follow-up"
  until  = 'touches >= 1'
  within = "2s"
  steps  = [{ at = "due", task = "Call {{ record.name }}" }]
"#,
    )
}

/// Only the owner is told, at the deadline.
pub fn told() -> String {
    with_head(
        r#"
[[handoff]]
name = "Teleprospecting to field sales"
from = "teleprospecting"
to   = "field_sales"
at   = "tql"

  [[handoff.clock]]
  name   = "First follow-up"
  until  = 'touches >= 1'
  within = "4s"
  steps  = [{ at = "due", notify = ["owner"] }]
"#,
    )
}

/// The owner is told soon, and has long to accept.
pub fn accepted() -> String {
    with_head(
        r#"
[[handoff]]
name   = "Teleprospecting to field sales"
from   = "teleprospecting"
to     = "field_sales"
at     = "tql"
reject = { stage = "rejected", reason = "reject_reason", allowed = ["no budget"] }

  [[handoff.clock]]
  name   = "First follow-up"
  until  = 'reached("sal")'
  within = "60s"
  steps  = [{ at = "2%", notify = ["owner"] }, { at = "due", recycle = true }]
"#,
    )
}

/// Two clocks and nothing done about them: only the facts matter.
pub fn watched() -> String {
    with_head(
        r#"
[[handoff]]
name = "Marketing to teleprospecting"
from = "marketing"
to   = "teleprospecting"
at   = "mql"

  [[handoff.clock]]
  name   = "Accept or reject"
  until  = 'reached("tal")'
  within = "1s"

[[handoff]]
name = "Teleprospecting to field sales"
from = "teleprospecting"
to   = "field_sales"
at   = "tql"

  [[handoff.clock]]
  name        = "First follow-up"
  until       = 'touches >= 1'
  within      = "1s"
  restarts_on = ["owner"]

  [[handoff.clock]]
  name   = "Work it"
  until  = 'reached("sal")'
  within = "10s"
"#,
    )
}

/// Rejections need one of two reasons.
pub fn with_reasons() -> String {
    with_head(
        r#"
[[handoff]]
name   = "Marketing to teleprospecting"
from   = "marketing"
to     = "teleprospecting"
at     = "mql"
reject = { stage = "rejected", reason = "reject_reason", allowed = ["duplicate", "student"] }

  [[handoff.clock]]
  name   = "Accept or reject"
  until  = 'reached("tal")'
  within = "5s"
"#,
    )
}

/// An opportunity has an amount and a close date after two seconds.
pub fn with_requirement() -> String {
    with_head(
        r#"
[[requirement]]
name   = "Value and timeframe of an opportunity"
by     = "field_sales"
since  = "sql"
fields = ["amount", "close_date"]
within = "2s"
steps  = [{ at = "due", flag = true }]
"#,
    )
}
