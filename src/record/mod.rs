//! Floor 0: the words that everything else speaks: ids, time, field values, changes, facts, effects.
//! No rules live here and nothing here does I/O.

pub mod change;
pub mod effect;
pub mod fact;
pub mod field;
pub mod ids;
pub mod order;
pub mod time;
pub mod value;

pub use change::{Actor, Change, Outcome, What};
pub use effect::{Action, Effect, EffectKey, Recipient};
pub use fact::{Fact, FactKind};
pub use field::{Field, FieldName, Fields};
pub use ids::{ConnectionName, Object, OwnerId, PartyName, RecordId, RecordKey, StageName};
pub use order::{Answer, Ask, Order, Reply};
pub use time::{Elapsed, Timestamp};
pub use value::{FieldType, Value};
