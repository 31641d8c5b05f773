//! Reading `[lead]` and `[opportunity]` from a description: names, values and requests of a record.

use super::super::template::{JsonTemplate, Placeholder, Template};
use super::request::{listing, need_path, needs, path, raw, request, template};
use super::{Deleted, Listing, Order, Read, ReadMany, Record, Search, StatusRule, Update};
use crate::agreement::dictionary;
use crate::agreement::document::{Reader, Sink, Word};
use crate::agreement::problem::did_you_mean;
use crate::crm::connection::ValueNames;
use crate::record::{FieldName, Object};
use std::collections::{BTreeMap, BTreeSet};

use Placeholder::{BaseUrl, Changes, Fields, Id, Ids, Since, Type};

/// More ids make an address that servers refuse.
const MOST_IDS: u32 = 200;

pub(super) fn record(mut reader: Reader<'_>, sink: &Sink<'_>, object: Object) -> Option<Record> {
    let type_name = reader.text("type").map_or(object.as_str(), |word| word.text).to_owned();
    let id = need_path(&mut reader, sink, "id");
    let modified = need_path(&mut reader, sink, "modified");
    let gone = path(&mut reader, sink, "gone");
    let web = reader.text("web").and_then(|word| template(sink, &word, &[Id, Type, BaseUrl]));
    let fields = reader.table("fields").map(|r| fields(&r, sink, object)).unwrap_or_default();
    let values = reader.table("values").map(|r| values(&r, sink, object)).unwrap_or_default();
    let numbers = numbers(&mut reader, sink, object);
    let status = status(&mut reader, sink, object);
    reader.need("read");
    let read = reader.table("read").map(|r| read(r, sink));
    let read_many = reader.table("read_many").map(|r| read_many(r, sink));
    let search = several(&mut reader, "search", |r| search(r, sink));
    let open = several(&mut reader, "open", |r| open(r, sink));
    let deleted = several(&mut reader, "deleted", |r| deleted(r, sink));
    let update = reader.table("update").map(|r| update(r, sink));
    reader.finish();
    Some(Record {
        type_name,
        id: id?,
        modified: modified?,
        gone,
        web,
        fields,
        values,
        numbers,
        status,
        read: read??,
        read_many: whole(read_many)?,
        search: search?,
        open: open?,
        deleted: deleted?,
        update: whole(update)?,
    })
}

/// What is there must be readable; what is not may be missing.
fn whole<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        Some(None) => None,
        Some(some) => Some(some),
        None => Some(None),
    }
}

/// A description knows the fields that every agreement has; others are the connection's to map.
fn known(sink: &Sink<'_>, name: &Word<'_>, object: Object, besides: &[&'static str]) -> bool {
    let standard = dictionary::standard();
    let mut possible = dictionary::names(&standard, object);
    possible.extend(dictionary::RESERVED);
    possible.extend(besides);
    let fits = possible.contains(&name.text);
    if !fits {
        let message = format!("no agreement has a field `{}` by itself", name.text);
        let mut problem = crate::agreement::problem::Problem::error(name.span.clone(), message);
        problem.help = did_you_mean(name.text, &possible);
        sink.note(problem);
    }
    fits
}

fn fields(reader: &Reader<'_>, sink: &Sink<'_>, object: Object) -> BTreeMap<FieldName, String> {
    let mut fields = BTreeMap::new();
    for (name, theirs) in reader.entry_words() {
        if super::Path::parse(theirs.text).is_none() {
            sink.error_with(theirs.span, "this is no path", "keys with dots between them, for example data.id");
        } else if known(sink, &name, object, &[]) {
            fields.insert(FieldName::new(name.text), theirs.text.to_owned());
        }
    }
    fields
}

fn values(reader: &Reader<'_>, sink: &Sink<'_>, object: Object) -> BTreeMap<FieldName, Vec<ValueNames>> {
    let mut values = BTreeMap::new();
    for (name, table) in reader.entry_tables("the values of `*`") {
        let pairs = table.entry_texts();
        if known(sink, &name, object, &[]) {
            let pair = |(ours, theirs): (Word<'_>, Vec<Word<'_>>)| {
                (ours.text.to_owned(), theirs.iter().map(|word| word.text.to_owned()).collect())
            };
            values.insert(FieldName::new(name.text), pairs.into_iter().map(pair).collect());
        }
    }
    values
}

fn numbers(reader: &mut Reader<'_>, sink: &Sink<'_>, object: Object) -> BTreeSet<String> {
    let words = reader.texts("numbers");
    words.iter().filter(|word| known(sink, word, object, &["id"])).map(|word| word.text.to_owned()).collect()
}

fn status(reader: &mut Reader<'_>, sink: &Sink<'_>, object: Object) -> Option<StatusRule> {
    if object == Object::Lead {
        return None;
    }
    let mut reader = reader.table("status")?;
    let from = need_path(&mut reader, sink, "from");
    let lower = |words: Vec<Word<'_>>| words.iter().map(|word| word.text.trim().to_lowercase()).collect();
    let won = lower(reader.need_texts("won"));
    let lost = lower(reader.need_texts("lost"));
    reader.finish();
    Some(StatusRule { from: from?, won, lost })
}

fn read(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Read> {
    let request = request(&mut reader, sink, &["get", "post"], &[Id, Type, Fields]);
    let item = path(&mut reader, sink, "item");
    let request = request.inspect(|r| needs(&reader, sink, r, Id));
    reader.finish();
    Some(Read { request: request?, item })
}

fn read_many(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<ReadMany> {
    let request = request(&mut reader, sink, &["get", "post"], &[Ids, Type, Fields]);
    let items = path(&mut reader, sink, "items");
    reader.need("batch");
    let batch = reader.count("batch");
    if let Some(batch) = batch.as_ref().filter(|batch| batch.value > MOST_IDS) {
        sink.error(batch.span.clone(), format!("`batch` is at most {MOST_IDS}"));
    }
    let request = request.inspect(|r| needs(&reader, sink, r, Ids));
    reader.finish();
    Some(ReadMany { request: request?, batch: batch?.value.min(MOST_IDS) as usize, items })
}

/// A request, or several that are made one after the other.
fn several<'a, T>(
    reader: &mut Reader<'a>,
    key: &'static str,
    read: impl Fn(Reader<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let is_list = raw(reader, key).is_some_and(|value| value.get_ref().as_array().is_some());
    let all = if is_list { reader.tables(key, key) } else { reader.table(key).into_iter().collect() };
    let read: Vec<Option<T>> = all.into_iter().map(read).collect();
    read.into_iter().collect()
}

fn search(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Search> {
    let list = listing(&mut reader, sink, &[Since, Type, Fields]);
    let [newest, oldest] = ["newest_first", "oldest_first"].map(|key| reader.flag(key).is_some_and(|flag| flag.value));
    let order = match (newest, oldest) {
        (true, _) => Order::NewestFirst,
        (false, true) => Order::OldestFirst,
        (false, false) => Order::Unknown,
    };
    if newest && oldest {
        sink.error(reader.span(), "`newest_first` and `oldest_first` contradict each other");
    } else if let Some(list) = list.as_ref().filter(|list| newest == list.request.uses(Since)) {
        let message = match list.request.uses(Since) {
            true => "`{since}` stands in the request: `newest_first` has nothing to do",
            false => "no `{since}` stands in this request",
        };
        let help = "a CRM that cannot ask for \"since\" sorts by modification time, with newest_first = true";
        sink.error_with(reader.span(), message, help);
    }
    reader.finish();
    Some(Search { list: list?, order })
}

fn open(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Listing> {
    let list = listing(&mut reader, sink, &[Type, Fields]);
    reader.finish();
    list
}

fn deleted(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Deleted> {
    let list = listing(&mut reader, sink, &[Since, Type, Fields]);
    let id = need_path(&mut reader, sink, "id");
    let time = path(&mut reader, sink, "time");
    reader.finish();
    Some(Deleted { list: list?, id: id?, time })
}

fn update(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Update> {
    let mut request = request(&mut reader, sink, &["patch", "put", "post"], &[Id, Type, Changes]);
    if let Some(request) = request.as_mut().filter(|request| request.body.is_none()) {
        request.body = Some(JsonTemplate::Text(Template::of(Changes)));
    }
    let item = path(&mut reader, sink, "item");
    let request = request.inspect(|r| needs(&reader, sink, r, Id));
    if let Some(body) = request.as_ref().and_then(|r| r.body.as_ref())
        && !body.uses(Changes)
    {
        sink.error(reader.span_of("body"), "no `{changes}` stands in the body: nothing would be changed");
    }
    reader.finish();
    Some(Update { request: request?, item })
}
