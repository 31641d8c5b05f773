//! The part of SOQL that integrations use: one object, fields through relationships, conditions with
//! AND, OR, NOT, IN and comparisons, ORDER BY, LIMIT, OFFSET, and `COUNT()`. No other aggregates, no
//! sub-queries. Which
//! rows a condition fits is for `soql_match.rs`.

use crate::record::Timestamp;

#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub fields: Vec<String>,
    pub object: String,
    pub condition: Option<Condition>,
    /// Field, descending.
    pub order: Vec<(String, bool)>,
    pub limit: Option<usize>,
    pub offset: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare { field: String, operator: Operator, value: Literal },
    In { field: String, values: Vec<Literal>, negated: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// A date (as its first moment in UTC) or a moment.
    Time(Timestamp),
}

/// The one field of a query that only counts.
pub(super) const COUNT: &str = "COUNT()";

/// What Salesforce calls `MALFORMED_QUERY`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// Reads a query.
///
/// # Errors
/// [`Malformed`] with what was expected.
pub fn parse(text: &str) -> Result<Query, Malformed> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0 };
    let query = parser.query()?;
    match parser.peek() {
        None => Ok(query),
        Some(token) => Err(Malformed(format!("unexpected token: {token:?}"))),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 10] = ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<Token>, Malformed> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let length = if rest.starts_with('\'') {
            let (token, length) = quoted(rest)?;
            found.push(token);
            length
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|s| rest.starts_with(s)) {
            found.push(Token::Symbol(symbol));
            symbol.len()
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || "'<>=!(),".contains(c)).unwrap_or(rest.len());
            found.push(Token::Word(rest[..end].to_owned()));
            end
        };
        if length == 0 {
            return Err(Malformed(format!("unexpected character at: {rest}")));
        }
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

/// A text literal and how many bytes it took, quotes included.
fn quoted(text: &str) -> Result<(Token, usize), Malformed> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Ok((Token::Text(value), at + 1)),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped)) => value.push(escaped),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err(Malformed("a text literal has no end".to_owned()))
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Result<Token, Malformed> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token.ok_or_else(|| Malformed("unexpected end of the query".to_owned()))
    }

    /// Takes the word if it comes next.
    fn keyword(&mut self, word: &str) -> bool {
        let comes = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.next += usize::from(comes);
        comes
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let comes = matches!(self.peek(), Some(Token::Symbol(s)) if *s == symbol);
        self.next += usize::from(comes);
        comes
    }

    fn must(&mut self, taken: bool, what: &str) -> Result<(), Malformed> {
        match taken {
            true => Ok(()),
            false => Err(Malformed(format!("expecting {what}, found {:?}", self.peek()))),
        }
    }

    fn word(&mut self) -> Result<String, Malformed> {
        match self.take()? {
            Token::Word(word) => Ok(word),
            other => Err(Malformed(format!("expecting a name, found {other:?}"))),
        }
    }

    fn query(&mut self) -> Result<Query, Malformed> {
        let select = self.keyword("SELECT");
        self.must(select, "SELECT")?;
        let mut fields = vec![self.column()?];
        while self.symbol(",") {
            fields.push(self.word()?);
        }
        let from = self.keyword("FROM");
        self.must(from, "FROM")?;
        let object = self.word()?;
        let condition = if self.keyword("WHERE") { Some(self.any()?) } else { None };
        let order = self.order()?;
        let limit = if self.keyword("LIMIT") { Some(self.number()?) } else { None };
        let offset = if self.keyword("OFFSET") { self.number()? } else { 0 };
        Ok(Query { fields, object, condition, order, limit, offset })
    }

    /// A field, or `COUNT()`.
    fn column(&mut self) -> Result<String, Malformed> {
        let name = self.word()?;
        if name.eq_ignore_ascii_case("COUNT") && self.symbol("(") {
            let closed = self.symbol(")");
            self.must(closed, "a closing bracket")?;
            return Ok(COUNT.to_owned());
        }
        Ok(name)
    }

    fn order(&mut self) -> Result<Vec<(String, bool)>, Malformed> {
        let mut order = Vec::new();
        if !self.keyword("ORDER") {
            return Ok(order);
        }
        let by = self.keyword("BY");
        self.must(by, "BY")?;
        loop {
            let field = self.word()?;
            let descending = self.keyword("DESC");
            let _ = descending || self.keyword("ASC");
            if self.keyword("NULLS") {
                let placed = self.keyword("FIRST") || self.keyword("LAST");
                self.must(placed, "FIRST or LAST")?;
            }
            order.push((field, descending));
            if !self.symbol(",") {
                return Ok(order);
            }
        }
    }

    fn number(&mut self) -> Result<usize, Malformed> {
        let word = self.word()?;
        word.parse().map_err(|_| Malformed(format!("expecting a number, found {word}")))
    }

    fn any(&mut self) -> Result<Condition, Malformed> {
        let mut parts = vec![self.all()?];
        while self.keyword("OR") {
            parts.push(self.all()?);
        }
        Ok(single(parts, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, Malformed> {
        let mut parts = vec![self.one()?];
        while self.keyword("AND") {
            parts.push(self.one()?);
        }
        Ok(single(parts, Condition::All))
    }

    fn one(&mut self) -> Result<Condition, Malformed> {
        if self.keyword("NOT") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        if self.symbol("(") {
            let inner = self.any()?;
            let closed = self.symbol(")");
            self.must(closed, "a closing bracket")?;
            return Ok(inner);
        }
        let field = self.word()?;
        let negated = self.keyword("NOT");
        if self.keyword("IN") {
            return Ok(Condition::In { field, values: self.list()?, negated });
        }
        self.must(!negated, "IN")?;
        let operator = self.operator()?;
        Ok(Condition::Compare { field, operator, value: self.literal()? })
    }

    fn list(&mut self) -> Result<Vec<Literal>, Malformed> {
        let open = self.symbol("(");
        self.must(open, "an opening bracket")?;
        let mut values = vec![self.literal()?];
        while self.symbol(",") {
            values.push(self.literal()?);
        }
        let closed = self.symbol(")");
        self.must(closed, "a closing bracket")?;
        Ok(values)
    }

    fn operator(&mut self) -> Result<Operator, Malformed> {
        match self.take()? {
            Token::Symbol("=") => Ok(Operator::Equal),
            Token::Symbol("!=" | "<>") => Ok(Operator::NotEqual),
            Token::Symbol("<") => Ok(Operator::Less),
            Token::Symbol("<=") => Ok(Operator::LessOrEqual),
            Token::Symbol(">") => Ok(Operator::Greater),
            Token::Symbol(">=") => Ok(Operator::GreaterOrEqual),
            Token::Word(word) if word.eq_ignore_ascii_case("LIKE") => Ok(Operator::Like),
            other => Err(Malformed(format!("expecting an operator, found {other:?}"))),
        }
    }

    fn literal(&mut self) -> Result<Literal, Malformed> {
        let word = match self.take()? {
            Token::Text(text) => return Ok(Literal::Text(text)),
            Token::Word(word) => word,
            other => return Err(Malformed(format!("expecting a value, found {other:?}"))),
        };
        match word.to_ascii_lowercase().as_str() {
            "null" => return Ok(Literal::Null),
            "true" => return Ok(Literal::Bool(true)),
            "false" => return Ok(Literal::Bool(false)),
            _ => {}
        }
        if let Ok(number) = word.parse() {
            return Ok(Literal::Number(number));
        }
        moment(&word).map(Literal::Time).ok_or_else(|| Malformed(format!("unexpected token: {word}")))
    }
}

fn single(mut parts: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    if parts.len() == 1 { parts.remove(0) } else { several(parts) }
}

/// A moment or a date.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.contains('-') {
        return None;
    }
    Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn holds(condition: &str, row: &Json) -> bool {
        let query = parse(&format!("SELECT Id FROM Lead WHERE {condition}")).unwrap();
        query.condition.unwrap().holds(&|field| row[field].clone())
    }

    #[test]
    fn a_query_is_read_into_its_parts() {
        let query = parse(
            "SELECT Id, Owner.Name FROM Lead WHERE Id IN ('a','b') AND IsConverted = false \
             ORDER BY SystemModstamp ASC NULLS LAST, Id DESC LIMIT 7 OFFSET 2",
        )
        .unwrap();
        assert_eq!(query.fields, ["Id", "Owner.Name"]);
        assert_eq!((query.object.as_str(), query.limit, query.offset), ("Lead", Some(7), 2));
        assert_eq!(query.order, [("SystemModstamp".to_owned(), false), ("Id".to_owned(), true)]);
    }

    #[test]
    fn conditions_hold_as_in_salesforce() {
        let row = json!({
            "Status": "Open", "Score": 61, "SystemModstamp": "2026-01-05T09:00:10.000+0000", "OwnerId": null,
            "CloseDate": "2026-03-31", "Id": "00Q5g00000LeAd1EAF", "Name": "O'Neil \\",
        });
        for (condition, expected) in [
            ("Status = 'open'", true),
            ("Status != 'Open'", false),
            ("Score >= 60 AND Score < 61.5", true),
            ("SystemModstamp >= 2026-01-05T09:00:10Z", true),
            ("SystemModstamp > 2026-01-05T09:00:10.000+0000", false),
            ("CloseDate < 2026-04-01", true),
            ("OwnerId = null", true),
            ("OwnerId != null OR Status LIKE 'O%n'", true),
            ("NOT (Status IN ('Open','Working'))", false),
            ("Status NOT IN ('Open')", false),
            ("Id = '00Q5g00000LeAd1'", true),
            ("Id = '00q5g00000LeAd1'", false),
            (r"Name = 'O\'Neil \\'", true),
            ("IsConverted = false", true),
        ] {
            assert_eq!(holds(condition, &row), expected, "{condition}");
        }
    }

    #[test]
    fn what_is_no_query_is_malformed() {
        for text in ["", "SELECT FROM Lead", "SELECT Id FROM Lead WHERE", "SELECT Id FROM Lead WHERE a = 'x", "DELETE"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("SELECT Id FROM Lead WHERE a = b").is_err());
        assert!(parse("SELECT Id FROM Lead ; DROP").is_err());
    }
}
