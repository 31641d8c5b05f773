//! Who gets a record that moves: the party's queue, nobody yet, or the next member, avoiding those
//! who had it before, those who left and those who are away.

use crate::crm::connection::Roster;
use crate::engine::context::Site;
use crate::engine::directory::Snapshot;
use crate::record::{OwnerId, PartyName, Value};
use crate::store::{StoreError, Tx, rotation};

/// Who there is, and who of them is away.
pub(super) struct Staff<'a> {
    pub known: &'a Snapshot,
    pub away: Vec<OwnerId>,
}

/// Why nobody can be chosen.
pub(super) enum NoReceiver {
    /// Until somebody changes the configuration or the CRM's people.
    Never(String),
    /// Until the CRM tells us its people, or somebody is back.
    Now(&'static str),
}

/// The new value of `owner`.
pub(super) async fn choose(
    site: &Site,
    tx: &mut Tx,
    people: &Staff<'_>,
    party: &PartyName,
    avoid: &[OwnerId],
) -> Result<Result<Value, NoReceiver>, StoreError> {
    let members = match site.connection.parties.get(party) {
        None => {
            let name = site.name();
            let why = format!("nobody takes records for {party}: name them under `connection.parties` of {name}");
            return Ok(Err(NoReceiver::Never(why)));
        }
        Some(Roster::Unassigned) => return Ok(Ok(Value::Null)),
        Some(Roster::Queue(queue)) => return Ok(queue_of(people.known, party, queue)),
        Some(Roster::Members(members)) => members,
    };
    let all = able_members(people.known, members);
    let able: Vec<OwnerId> = all.iter().filter(|id| !people.away.contains(id)).cloned().collect();
    if able.is_empty() && !all.is_empty() {
        return Ok(Err(NoReceiver::Now("everybody who could take it is away")));
    }
    let fresh: Vec<OwnerId> = able.iter().filter(|id| !avoid.contains(id)).cloned().collect();
    // Everybody had it already: then it goes round again.
    let candidates = if fresh.is_empty() { able } else { fresh };
    let turn = rotation::next(tx, site.name(), party, candidates.len()).await?;
    let chosen = turn.and_then(|turn| candidates.get(turn));
    Ok(chosen.map(|id| Value::text(id.as_str())).ok_or_else(|| {
        if people.known.is_told() {
            NoReceiver::Never(format!("no member of {party} is active in the CRM"))
        } else {
            NoReceiver::Now("the CRM has not told its people yet")
        }
    }))
}

/// The party's queue, unless the CRM says that it is gone: where it lists queues at all, it lists every one.
fn queue_of(known: &Snapshot, party: &PartyName, queue: &OwnerId) -> Result<Value, NoReceiver> {
    let is_there = match known.get(queue) {
        Some(owner) => owner.active,
        None => !known.all().any(|owner| owner.queue),
    };
    match is_there {
        true => Ok(Value::text(queue.as_str())),
        false => Err(NoReceiver::Never(format!("the queue {queue} of {party} is not in the CRM any more"))),
    }
}

/// Members by owner id. One whom the directory does not know is taken at the configuration's word
/// if it is an id; one named by e-mail, or gone, is passed over.
fn able_members(people: &Snapshot, members: &[String]) -> Vec<OwnerId> {
    let able = members.iter().filter_map(|member| match people.find(member) {
        Some(person) => person.active.then(|| person.id.clone()),
        None => (!member.contains('@')).then(|| OwnerId::new(member)),
    });
    able.collect()
}
