//! The way of an effect once it leaves: its intent is stored, and it ends once, or is due again.

use crate::record::{ConnectionName, EffectKey, Outcome, Timestamp};
use crate::store::batch::{keys_of_one, last_of_each, slices, values};
use crate::store::{Result, Tx, clean, to_json};
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

/// Records the intent before the call: each key with its payload as JSON. Only what is still due is
/// taken; answers which.
///
/// # Errors
/// `Unavailable`.
pub async fn mark_sending(
    tx: &mut Tx,
    connection: &ConnectionName,
    intents: &[(EffectKey, String)],
    now: Timestamp,
) -> Result<HashSet<EffectKey>> {
    let intents = last_of_each(intents, |(key, _)| key);
    let mut taken = HashSet::with_capacity(intents.len());
    for slice in slices(&intents, 2) {
        let sql = format!(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, updated = $2, payload = v.column2 \
             FROM (VALUES {}) AS v \
             WHERE connection = $1 AND effect_key = v.column1 AND state = 'due' RETURNING effect_key",
            values(2, slice.len(), 2)
        );
        let keys: Vec<(String,)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(now.as_millis());
            for (key, payload) in slice {
                query = query.bind(key.as_str()).bind(payload);
            }
            query.fetch_all(c).await
        })?;
        taken.extend(keys.into_iter().map(|(key,)| EffectKey::new(key)));
    }
    Ok(taken)
}

/// Ends each of these as its outcome says. Only what is due or being sent can end; answers which
/// did, so that an end is told to the core once.
///
/// # Errors
/// `Unavailable`.
pub async fn settle(
    tx: &mut Tx,
    connection: &ConnectionName,
    outcomes: &[(EffectKey, Outcome)],
    now: Timestamp,
) -> Result<HashSet<EffectKey>> {
    let outcomes = last_of_each(outcomes, |(key, _)| key);
    let mut settled = HashSet::with_capacity(outcomes.len());
    for slice in slices(&outcomes, 3) {
        let bodies = slice.iter().map(|(_, outcome)| to_json(outcome)).collect::<Result<Vec<_>>>()?;
        let sql = format!(
            "UPDATE outbox SET state = v.column2, updated = $2, outcome = v.column3 FROM (VALUES {}) AS v \
             WHERE connection = $1 AND effect_key = v.column1 AND state IN ('due', 'sending') \
             RETURNING effect_key",
            values(2, slice.len(), 3)
        );
        let keys: Vec<(String,)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(now.as_millis());
            for ((key, outcome), body) in slice.iter().zip(&bodies) {
                query = query.bind(key.as_str()).bind(ending(outcome)).bind(body);
            }
            query.fetch_all(c).await
        })?;
        settled.extend(keys.into_iter().map(|(key,)| EffectKey::new(key)));
    }
    Ok(settled)
}

/// Gives one up for a person to see. The error must name no secret.
///
/// # Errors
/// `Unavailable`.
pub async fn park(
    tx: &mut Tx,
    connection: &ConnectionName,
    key: &EffectKey,
    error: &str,
    now: Timestamp,
) -> Result<bool> {
    let outcome = Outcome::Parked { error: error.to_owned() };
    Ok(!settle(tx, connection, &[(key.clone(), outcome)], now).await?.is_empty())
}

/// Not now: due again from `not_before` on, whether it was being sent or only looked at. The payload
/// stays, so that the next try has the same owner.
///
/// # Errors
/// `Unavailable`.
pub async fn again(
    tx: &mut Tx,
    connection: &ConnectionName,
    key: &EffectKey,
    not_before: Timestamp,
    error: &str,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE outbox SET state = 'due', not_before = $3, outcome = $4, updated = $5 \
         WHERE connection = $1 AND effect_key = $2 AND state IN ('due', 'sending')";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(key.as_str())
            .bind(not_before.as_millis())
            .bind(clean(error))
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// Due again from `not_before` on, as if these had not been tried: a call failed as a whole, which is
/// no fault of theirs. Their payloads stay.
///
/// # Errors
/// `Unavailable`.
pub async fn untried(
    tx: &mut Tx,
    connection: &ConnectionName,
    keys: &[EffectKey],
    not_before: Timestamp,
    error: &str,
    now: Timestamp,
) -> Result<()> {
    for slice in slices(keys, 1) {
        let sql = format!(
            "UPDATE outbox SET state = 'due', not_before = $2, outcome = $3, updated = $4, \
             attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END \
             WHERE (connection, effect_key) IN {} AND state = 'sending'",
            keys_of_one(4, slice.len())
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql))
                .bind(connection.as_str())
                .bind(not_before.as_millis())
                .bind(clean(error))
                .bind(now.as_millis());
            for key in slice {
                query = query.bind(key.as_str());
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

fn ending(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } => "done",
        Outcome::WouldHave => "would_have",
        Outcome::Dropped { .. } => "dropped",
        Outcome::Parked { .. } => "parked",
    }
}
