//! Whatever was modified since a moment, page by page: what a sweep over missed webhooks asks for.

use super::DescribedCrm;
use super::read::shown;
use super::template::Placeholder;
use crate::crm::{CrmError, ReadRecord};
use crate::record::{Object, RecordId, Timestamp};

/// One page of modified records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifiedPage {
    /// The answer's `Date`: the CRM's clock.
    pub at: Timestamp,
    /// As the CRM sorts them. One that changes meanwhile may come twice.
    pub records: Vec<(RecordId, ReadRecord)>,
    /// Items without an id, which are left out.
    pub skipped: usize,
    /// For the next call; `None` where this was the last page.
    pub next: Option<String>,
}

pub(super) async fn modified_since(
    crm: &DescribedCrm,
    object: Object,
    since: Timestamp,
    cursor: Option<&str>,
) -> Result<ModifiedPage, CrmError> {
    let record = crm.record(object)?;
    let search = record.search.as_ref().ok_or_else(|| crm.not_described(object, "search"))?;
    let given = crm.given(object).with(Placeholder::Since, crm.api.description().times.write(since));
    let page = crm.api.page(&search.list, given, cursor).await?;
    let (mut records, mut skipped, mut is_past) = (Vec::new(), 0, false);
    for item in &page.items {
        let Some(id) = record.id.id(item) else {
            skipped += 1;
            continue;
        };
        let shown = shown(crm, object, record, item, page.at);
        let is_older = matches!(&shown, ReadRecord::Found { modified, .. } if *modified < since);
        if search.newest_first && is_older {
            is_past = true;
            break;
        }
        records.push((RecordId::new(id), shown));
    }
    Ok(ModifiedPage { at: page.at, records, skipped, next: page.next.filter(|_| !is_past) })
}
