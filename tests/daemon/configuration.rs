//! The configuration of these tests, as a file would have it: both CRMs, both enforced, nothing but
//! what differs from the defaults.

use crate::house::{House, PORTAL, SECRET};

/// Listening at this port; the public address is always the house's.
pub fn text(house: &House, port: u16) -> String {
    let [tess, theo] = &house.people.tele;
    let (queue, store, public, crm) = (&house.people.queue, &house.store, house.port, house.sandbox.base_url());
    let leadpact = leadpact::sandbox::record::integration_user();
    let (slack, smtp) = (house.slack.base_url(), house.smtp.url());
    format!(
        r#"
agreement          = "agreement.toml"
require_signatures = false

[server]
listen       = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{port}"
public_url   = "http://127.0.0.1:{public}"
workers      = 1

[store]
url = "{store}"

[notify.slack]
token    = "xoxb-pretend"
base_url = "{slack}"

[notify.email]
smtp_url = "{smtp}"
from     = "leadpact <sla@acme.example>"

[[connection]]
name           = "hubspot"
crm            = "hubspot"
mode           = "enforce"
base_url       = "{crm}"
portal_id      = {PORTAL}
access_token   = "pat-na1-pretend"
webhook_secret = ["{SECRET}"]

  [connection.fields.lead]
  status        = "hs_lead_status"
  owner         = "hubspot_owner_id"
  touches       = "num_contacted_notes"
  reject_reason = "reject_reason"
  flag          = "leadpact_violation"
  violation     = "leadpact_violations"

  [connection.fields.opportunity]
  amount     = "amount"
  close_date = "closedate"
  flag       = "leadpact_violation"
  violation  = "leadpact_violations"

  [connection.values.lead.status]
  "Qualified by marketing"        = "MARKETING_QUALIFIED"
  "Accepted"                      = "ACCEPTED"
  "Qualified by teleprospecting"  = "TELE_QUALIFIED"
  "Working"                       = "IN_PROGRESS"
  "Rejected"                      = "UNQUALIFIED"

  [connection.parties]
  teleprospecting = {{ members = ["{tess}", "{theo}"] }}

[[connection]]
name            = "salesforce"
crm             = "salesforce"
mode            = "enforce"
base_url        = "{crm}"
organization_id = "00D5g000004XyZaEAK"
client_id       = "id"
client_secret   = "secret"
path_secret     = "{SECRET}"

  [connection.fields.lead]
  reject_reason = "Reject_Reason__c"
  flag          = "Leadpact_Violation__c"
  violation     = "Leadpact_Violations__c"

  [connection.fields.opportunity]
  flag      = "Leadpact_Violation__c"
  violation = "Leadpact_Violations__c"

  [connection.touches]
  automation_users = ["{leadpact}"]

  [connection.parties]
  teleprospecting = {{ queue = "{queue}" }}
"#
    )
}
