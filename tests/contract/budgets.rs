//! How many calls recycling takes: n leads need ceil(n/100) update calls in HubSpot and ceil(n/200) in
//! Salesforce, and at most twice as many reads, of records and of activities where those are rows of
//! their own. Counted by the sandbox while the real connectors work.

use crate::office::{HUBSPOT, Kind, Office, SALESFORCE};
use leadpact::sandbox::{CrmKind, vocabulary};

/// Recycles so many leads of Amy's and says in how many update calls, and after how many reads.
async fn recycle(kind: Kind, n: usize) -> (usize, usize) {
    let mut office = Office::open(kind).await;
    let ids = office.hand_over(n);
    office.import().await;
    office.settle().await;
    office.at(31);
    office.settle().await;
    office.sandbox.forget_calls();
    office.at(61);
    office.settle().await;
    let (update, reads): (_, &[&str]) = match kind.crm {
        CrmKind::HubSpot => {
            ("hubspot.batch_update", &["hubspot.batch_read", "hubspot.get", "hubspot.list", "hubspot.search"])
        }
        CrmKind::Salesforce => (
            "salesforce.collection_update",
            &["salesforce.query", "salesforce.query_more", "salesforce.get", "salesforce.composite"],
        ),
    };
    let table = vocabulary::lead_object(kind.crm);
    let is_back = |id: &&String| office.world().field(table, id, "owner") != office.amy;
    assert_eq!(ids.iter().filter(is_back).count(), n, "all are recycled");
    let reads = reads.iter().map(|read| office.sandbox.calls(read).len()).sum();
    (office.sandbox.calls(update).len(), reads)
}

async fn keeps_the_budget(kind: Kind, most: usize) {
    for n in [1, 100, 101, 450] {
        let (updates, reads) = recycle(kind, n).await;
        assert_eq!(updates, n.div_ceil(most), "update calls of {n} leads");
        assert!(reads <= 2 * updates, "{n} leads: {reads} reads for {updates} update calls");
    }
}

#[tokio::test]
async fn n_recycles_need_a_hundredth_as_many_calls_of_hubspot() {
    keeps_the_budget(HUBSPOT, 100).await;
}

#[tokio::test]
async fn n_recycles_need_a_two_hundredth_as_many_calls_of_salesforce() {
    keeps_the_budget(SALESFORCE, 200).await;
}
