//! Who leadpact is in the organisation: a permission set for its user, and the external client app
//! that it signs in through. No more is granted than the agreement needs.

use super::{APP, CERTIFICATE, File, PERMISSIONS, SOURCE, USER, type_name};
use crate::crm::connection::{Salesforce, SalesforceAuth};
use crate::crm::oauth::callback_path;
use crate::package::Order;
use crate::package::wiring::Wired;
use crate::package::xml::Xml;
use crate::record::Object;

/// Standard fields that everybody may see who may see the record: naming them in a permission set is
/// an error.
const ALWAYS_SEEN: [&str; 22] = [
    "Id",
    "Name",
    "FirstName",
    "LastName",
    "Company",
    "Status",
    "OwnerId",
    "IsConverted",
    "ConvertedDate",
    "ConvertedOpportunityId",
    "ConvertedAccountId",
    "ConvertedContactId",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
    "StageName",
    "CloseDate",
    "IsClosed",
    "IsWon",
    "CurrencyIsoCode",
];

/// The fields that are named in the permission set, and whether they may be edited.
pub(super) fn permitted(wired: &Wired) -> impl Iterator<Item = (&str, bool)> {
    let all = wired.read.iter().chain(wired.watched.iter().map(|w| &w.crm_name)).chain(&wired.written);
    let mut names: Vec<&str> = all.map(String::as_str).filter(|name| is_listed(name)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| (name, wired.written.contains(name)))
}

fn is_listed(name: &str) -> bool {
    !name.contains('.') && !ALWAYS_SEEN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

pub(super) fn files(order: &Order<'_>, settings: &Salesforce, objects: &[Wired]) -> Vec<File> {
    vec![
        File::new(format!("{SOURCE}/permissionsets/{PERMISSIONS}.permissionset-meta.xml"), permission_set(objects)),
        File::new(format!("{SOURCE}/externalClientApps/{APP}.eca-meta.xml"), app(order)),
        File::new(format!("{SOURCE}/extlClntAppGlobalOauthSets/{APP}.ecaGlblOauth-meta.xml"), global(order, settings)),
        File::new(format!("{SOURCE}/extlClntAppOauthSettings/{APP}.ecaOauth-meta.xml"), oauth()),
        File::new(format!("{SOURCE}/extlClntAppOauthPolicies/{APP}.ecaOauthPlcy-meta.xml"), policy(settings)),
    ]
}

/// Whether tasks and meetings are read, since no field of the record counts them.
pub(super) fn counts_activities(objects: &[Wired]) -> bool {
    let is_mapped = |wired: &Wired| wired.watched.iter().any(|f| f.why.iter().any(|why| why.contains("touch")));
    objects.iter().any(|wired| !is_mapped(wired))
}

fn permission_set(objects: &[Wired]) -> String {
    Xml::document("PermissionSet", |xml| {
        xml.element("description", "What leadpact may see and write. Generated from the agreement.");
        for wired in objects {
            for (field, editable) in permitted(wired) {
                xml.group("fieldPermissions", |xml| {
                    xml.element("editable", editable.to_string())
                        .element("field", format!("{}.{field}", type_name(wired.object)))
                        .element("readable", "true");
                });
            }
        }
        xml.element("hasActivationRequired", "false").element("label", "leadpact integration");
        // Whoever may see opportunities has to be allowed to see their accounts.
        if objects.iter().any(|wired| wired.object == Object::Opportunity) {
            object_permission(xml, "Account", false);
        }
        for wired in objects {
            object_permission(xml, type_name(wired.object), !wired.written.is_empty());
        }
        let mut permissions = vec!["ApiEnabled"];
        if counts_activities(objects) {
            permissions.insert(0, "ActivitiesAccess");
        }
        if objects.iter().any(|wired| wired.tasks) {
            permissions.push("EditTask");
        }
        if objects.iter().any(|wired| wired.object == Object::Lead && wired.written.contains("OwnerId")) {
            permissions.push("TransferAnyLead");
        }
        for name in permissions {
            xml.group("userPermissions", |xml| {
                xml.element("enabled", "true").element("name", name);
            });
        }
    })
}

fn object_permission(xml: &mut Xml, object: &str, edit: bool) {
    xml.group("objectPermissions", |xml| {
        xml.element("allowCreate", "false")
            .element("allowDelete", "false")
            .element("allowEdit", edit.to_string())
            .element("allowRead", "true")
            .element("modifyAllRecords", "false")
            .element("object", object)
            .element("viewAllRecords", "true");
    });
}

fn app(order: &Order<'_>) -> String {
    Xml::document("ExternalClientApplication", |xml| {
        xml.element("contactEmail", order.contact)
            .element("description", format!("Keeps the agreement “{}”.", order.agreement.title))
            .element("distributionState", "Local")
            .element("isProtected", "false")
            .element("label", APP);
    })
}

fn oauth() -> String {
    Xml::document("ExtlClntAppOauthSettings", |xml| {
        xml.element("commaSeparatedOauthScopes", "Api, RefreshToken")
            .element("externalClientApplication", APP)
            .element("label", "Leadpact OAuth");
    })
}

/// A browser may sign in without the app's secret where the connection has none; a certificate makes
/// Salesforce take signed assertions.
fn global(order: &Order<'_>, settings: &Salesforce) -> String {
    let has_no_secret = matches!(settings.auth, SalesforceAuth::Browser { client_secret: None, .. });
    Xml::document("ExtlClntAppGlobalOauthSettings", |xml| {
        xml.element("callbackUrl", format!("{}{}", order.public_base, callback_path(&order.connection.name)));
        if let SalesforceAuth::Jwt { .. } = settings.auth {
            xml.element("certificate", CERTIFICATE.0);
        }
        xml.element("externalClientApplication", APP)
            .element("isConsumerSecretOptional", has_no_secret.to_string())
            .element("isIntrospectAllTokens", "false")
            .element("isPkceRequired", "true")
            .element("isSecretRequiredForRefreshToken", (!has_no_secret).to_string())
            .element("label", "Leadpact OAuth")
            .element("shouldRotateConsumerKey", "false")
            .element("shouldRotateConsumerSecret", "false");
    })
}

/// Without this file any user could authorise the app for themselves. The flow that nobody takes part
/// in is open only where it is the connection's.
fn policy(settings: &Salesforce) -> String {
    let runs_as_user = matches!(settings.auth, SalesforceAuth::ClientCredentials { .. });
    Xml::document("ExtlClntAppOauthConfigurablePolicies", |xml| {
        if runs_as_user {
            xml.element("clientCredentialsFlowUser", USER.0);
        }
        xml.element("commaSeparatedPermissionSet", PERMISSIONS)
            .element("externalClientApplication", APP)
            .element("ipRelaxationPolicyType", "Enforce")
            .element("isClientCredentialsFlowEnabled", runs_as_user.to_string())
            .element("label", "Leadpact policy")
            .element("permittedUsersPolicyType", "AdminApprovedPreAuthorized");
    })
}
