//! What a notice about a real record would say: made of the same parts as when it is sent, for pages
//! that show messages beforehand. Nothing is issued, and the CRM is not asked.

use super::context::{Engine, Site};
use super::deliver::Teller;
use super::directory::Snapshot;
use crate::agreement::Standing;
use crate::agreement::standing::Run;
use crate::notify::Item;
use crate::record::effect::Notice;
use crate::record::{Action, Effect, EffectKey, Recipient, Timestamp};
use crate::store::StoreError;
use std::sync::Arc;

/// The item of this notice about a record: of its clock that ends soonest, else of the first clock
/// that the agreement has for such records.
///
/// # Errors
/// When the database cannot be read.
pub async fn item(engine: &Engine, site: &Site, standing: &Standing, notice: Notice) -> Result<Item, StoreError> {
    let run = standing.open_runs().min_by_key(|run| run.deadline);
    let clocks = &site.agreement.clocks;
    let first = clocks.iter().find(|clock| clock.object == standing.key.object).map(|clock| clock.name.clone());
    let source = run.map(|run| Arc::from(&*run.clock)).or(first).unwrap_or_default();
    let now = engine.clock.now();
    let effect = Effect {
        key: EffectKey::new("preview"),
        record: standing.key.clone(),
        action: Action::Notify { to: Recipient::Owner, notice },
        source,
        pass: standing.pass,
        run: run.map_or(0, |run| run.number),
        step: Arc::from(""),
        at: now,
        not_before: now,
        deadline: run.map(|run: &Run| run.deadline),
    };
    of_effect(engine, site, standing, &effect, now).await
}

/// The item of a notice that was decided, as it reads at a moment about the record as it stands now.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_effect(
    engine: &Engine,
    site: &Site,
    standing: &Standing,
    effect: &Effect,
    at: Timestamp,
) -> Result<Item, StoreError> {
    let people = Snapshot::stored(&engine.db, site.name()).await?;
    Ok(Teller { site, people: &people, now: at }.item(standing, effect))
}
