//! The shape of HubSpot's webhook events: every field optional, text taken from any scalar, unknown
//! fields ignored, since HubSpot adds and varies them. What they mean is read in `events.rs`.

use crate::record::{RecordId, Timestamp};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// Text, or a number or a truth value as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scalar<'a>(Cow<'a, str>);

impl Scalar<'_> {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An object id: digits, beyond 32 bits. Anything else names no record.
    pub fn id(&self) -> Option<RecordId> {
        let digits = !self.0.is_empty() && self.0.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| RecordId::new(&self.0))
    }
}

/// One event as it came.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Incoming<'a> {
    #[serde(borrow)]
    subscription_type: Option<Scalar<'a>>,
    /// What one page of HubSpot's documentation calls it.
    #[serde(borrow)]
    event_type: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub portal_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub app_id: Option<Scalar<'a>>,
    occurred_at: Option<i64>,
    #[serde(borrow)]
    pub object_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub object_type_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub change_source: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub source_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub property_name: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub property_value: Option<Scalar<'a>>,
    pub is_sensitive: Option<bool>,
    #[serde(borrow)]
    pub primary_object_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub merged_object_ids: Option<Vec<Scalar<'a>>>,
    #[serde(borrow)]
    pub new_object_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub association_type: Option<Scalar<'a>>,
    pub association_removed: Option<bool>,
    #[serde(borrow)]
    pub from_object_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub to_object_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub from_object_type_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    pub to_object_type_id: Option<Scalar<'a>>,
}

impl Incoming<'_> {
    /// `contact.propertyChange` in two parts.
    pub fn type_parts(&self) -> Option<(&str, &str)> {
        self.subscription_type.as_ref().or(self.event_type.as_ref())?.as_str().split_once('.')
    }

    pub fn at(&self) -> Option<Timestamp> {
        self.occurred_at.map(Timestamp::from_millis)
    }
}

/// The text of an optional scalar.
pub(super) fn text<'a>(scalar: &'a Option<Scalar<'_>>) -> Option<&'a str> {
    scalar.as_ref().map(Scalar::as_str)
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;
        impl<'de> Visitor<'de> for AsText {
            type Value = Scalar<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a number or a truth value")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar(Cow::Owned(text.to_owned())))
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Self::Value, E> {
                Ok(Scalar(Cow::Owned(n.to_string())))
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Self::Value, E> {
                Ok(Scalar(Cow::Owned(n.to_string())))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Self::Value, E> {
                Ok(Scalar(Cow::Owned(n.to_string())))
            }
            fn visit_bool<E: Error>(self, b: bool) -> Result<Self::Value, E> {
                Ok(Scalar(Cow::Owned(b.to_string())))
            }
        }
        deserializer.deserialize_any(AsText)
    }
}
