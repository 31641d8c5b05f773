//! The pure core as promises: one record's story under a small agreement, told by what it journals
//! and by what it asks to be done. Calendars and conditions have tests of their own.

#[path = "core/story.rs"]
mod story;

#[path = "core/clocks.rs"]
mod clocks;
#[path = "core/endings.rs"]
mod endings;
#[path = "core/late.rs"]
mod late;
#[path = "core/links.rs"]
mod links;
#[path = "core/model.rs"]
mod model;
#[path = "core/order.rs"]
mod order;
#[path = "core/orders.rs"]
mod orders;
#[path = "core/owners.rs"]
mod owners;
#[path = "core/passes.rs"]
mod passes;
#[path = "core/reads.rs"]
mod reads;
#[path = "core/recycling.rs"]
mod recycling;
#[path = "core/reference.rs"]
mod reference;
#[path = "core/replay.rs"]
mod replay;
#[path = "core/steps.rs"]
mod steps;
#[path = "core/versions.rs"]
mod versions;
#[path = "core/violations.rs"]
mod violations;
