//! Checks of what a described CRM's description leaves out, and what will not happen therefore.

use super::Check;
use crate::crm::connection::Connection;
use crate::crm::examine::Lack;

pub(super) fn checks(connection: &Connection, lacks: Vec<Lack>) -> Vec<Check> {
    let name = connection.name.as_str();
    let check = |lack: Lack| {
        let fix = match lack.what.starts_with('[') {
            true => format!("describe it under {} (docs/connectors.md), if the CRM has such a request", lack.what),
            false => "look at such a record in the CRM's API, and map the field by its path there".to_owned(),
        };
        match lack.breaks {
            true => Check::fail(name, lack.what, lack.found, fix),
            false => Check::warn(name, lack.what, lack.found, fix),
        }
    };
    lacks.into_iter().map(check).collect()
}
