//! HubSpot's batch call for what belongs to which record: a page for each record, those with more told
//! where to go on, and those with none told as errors (status 207).

use super::call::{Answer, Call};
use super::hubspot_objects::{answer_of, batch_answer, body_of, inputs, item_error};
use super::world::{Association, World, text_of};
use serde_json::{Value as Json, json};

/// Most inputs of a call, and most associations of one record in it.
const INPUTS: usize = 1000;
const PAGE: usize = 500;

pub fn read(world: &World, from: &str, to: &str, call: &Call) -> Answer {
    answer_of(body_of(call).and_then(|body| {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for input in inputs(&body, INPUTS)? {
            let id = text_of(&input["id"]);
            let found = world.associated(from, &id, to);
            match found.is_empty() {
                false => results.push(page(&id, &found, text_of(&input["after"]).parse().unwrap_or(0))),
                true => errors.push(no_association(&id)),
            }
        }
        Ok(batch_answer(world, 200, results, errors))
    }))
}

fn page(id: &str, found: &[Association], after: usize) -> Json {
    let to: Vec<Json> = found.iter().skip(after).take(PAGE).map(associated).collect();
    let mut row = json!({ "from": { "id": id }, "to": to });
    if after + PAGE < found.len() {
        row["paging"] = json!({ "next": { "after": (after + PAGE).to_string() } });
    }
    row
}

fn associated(association: &Association) -> Json {
    json!({
        "toObjectId": association.to.1,
        "associationTypes": [{ "category": "HUBSPOT_DEFINED", "typeId": association.type_id, "label": null }],
    })
}

fn no_association(id: &str) -> Json {
    let mut failure = item_error("OBJECT_NOT_FOUND", "No associations found", None, None);
    failure["subCategory"] = json!("crm.associations.NO_ASSOCIATIONS_FOUND");
    failure["context"] = json!({ "fromObjectId": [id] });
    failure
}
