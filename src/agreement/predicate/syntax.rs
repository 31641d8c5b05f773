//! From text to CEL's syntax tree, with the place of every part in the text, and CEL's syntax errors
//! in plain words. What a condition may mean is decided in `compile`.
//!
//! The text is scanned before CEL's parser sees it: that parser recurses over what is nested or
//! chained, so both are limited here, and it gets a stack that suffices for the rest. No condition
//! can exhaust the stack.

use super::Problem;
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, SourceInfo};
use cel::parser::{ParseError, ParseErrors, Parser};
use std::ops::Range;
use std::thread;

/// In bytes.
const LONGEST_SOURCE: usize = 4096;
/// Brackets within brackets.
const DEEPEST_NESTING: usize = 32;
/// Operator characters in a row between two `&&`, `||` or commas; a comparison needs three.
const LONGEST_CHAIN: usize = 24;
/// In bytes, for CEL's parser. Unoptimised it takes up to 200 KiB for every level of brackets, which the usual
/// 2 MiB of a thread would not bear; it is address space only until it is used.
const PARSER_STACK: usize = 32 << 20;

/// A condition's syntax tree.
pub(super) struct Parsed<'s> {
    source: &'s str,
    pub root: IdedExpr,
    info: SourceInfo,
    /// The characters outside of quoted text and comments.
    code: Vec<(usize, char)>,
}

/// Parses a condition.
pub(super) fn parse(source: &str) -> Result<Parsed<'_>, Vec<Problem>> {
    if source.len() > LONGEST_SOURCE {
        let message = format!("a condition has at most {LONGEST_SOURCE} bytes, this one has {}", source.len());
        return Err(vec![Problem::error(0..source.len(), message)]);
    }
    let code = scan(source).and_then(|code| limit(&code).map(|()| code)).map_err(|problem| vec![problem])?;
    if code.iter().all(|(_, c)| c.is_whitespace()) && !source.contains(['"', '\'']) {
        return Err(vec![Problem::error(0..source.len(), "the condition is empty")]);
    }
    match on_a_deep_stack(source) {
        Some(Ok((root, info))) => Ok(Parsed { source, root, info, code }),
        Some(Err(errors)) => Err(in_plain_words(source, &errors.errors)),
        None => Err(vec![Problem::error(0..source.len(), "this condition cannot be read")]),
    }
}

/// `None` when no thread can be had, or the parser panics.
fn on_a_deep_stack(source: &str) -> Option<Result<(IdedExpr, SourceInfo), ParseErrors>> {
    let parser = || Parser::new().max_recursion_depth(2 * DEEPEST_NESTING as u16).parse_with_source_info(source);
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(PARSER_STACK).spawn_scoped(scope, parser).ok()?;
        worker.join().ok()
    })
}

/// The characters outside of quoted text and comments. Only plain quotes are taken, so that this scan and CEL's
/// lexer cannot disagree on where quoted text ends.
fn scan(source: &str) -> Result<Vec<(usize, char)>, Problem> {
    let mut code = Vec::new();
    let mut chars = source.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' | '\'' => {
                let end = quoted(source, at, c)?;
                while chars.next_if(|(i, _)| *i < end).is_some() {}
            }
            '/' if source[at + 1..].starts_with('/') => while chars.next_if(|(_, c)| *c != '\n').is_some() {},
            _ => code.push((at, c)),
        }
    }
    Ok(code)
}

/// The end of the quoted text that begins at `start`.
fn quoted(source: &str, start: usize, quote: char) -> Result<usize, Problem> {
    if source[..start].ends_with(is_word) {
        let problem = Problem::error(start..start + 1, "quoted text stands directly after a word");
        return Err(problem.help("text is written in plain quotes, without a prefix"));
    }
    let mut chars = source[start + 1..].char_indices();
    while let Some((at, c)) = chars.next() {
        let at = start + 1 + at;
        match c {
            _ if c == quote => return closed(source, start, at + 1, quote),
            '\\' => match chars.next() {
                Some((_, 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '"' | '\'' | '\\' | '?' | '`')) => {}
                next => {
                    let end = next.map_or(source.len(), |(i, c)| start + 1 + i + c.len_utf8());
                    let problem = Problem::error(at..end, "`\\` does not stand before this character");
                    return Err(problem.help("a backslash itself is written `\\\\`"));
                }
            },
            '\n' | '\r' => break,
            _ => {}
        }
    }
    let end = source[start..].find(['\n', '\r']).map_or(source.len(), |i| start + i);
    Err(Problem::error(start..end, "this text has no closing quote").help(format!("close it with {quote}")))
}

fn closed(source: &str, start: usize, end: usize, quote: char) -> Result<usize, Problem> {
    if end == start + 2 && source[end..].starts_with(quote) {
        let problem = Problem::error(start..end + 1, "triple quotes are not used in conditions");
        return Err(problem.help("write the text between two plain quotes"));
    }
    Ok(end)
}

/// Refuses what is nested or chained too deep.
fn limit(code: &[(usize, char)]) -> Result<(), Problem> {
    // How long the chain is at each level of brackets: `f(x).f(x).f(x)` is one chain.
    let mut chains = vec![0usize];
    let mut word_before = false;
    for (i, &(at, c)) in code.iter().enumerate() {
        let starts_with_in = || c == 'i' && code.get(i + 1).is_some_and(|(_, c)| *c == 'n');
        match c {
            '(' | '[' | '{' => {
                lengthen(&mut chains, at)?;
                chains.push(0);
            }
            ')' | ']' | '}' if chains.len() > 1 => drop(chains.pop()),
            '&' | '|' | ',' | '?' | ':' => chains.iter_mut().last().into_iter().for_each(|chain| *chain = 0),
            '.' | '<' | '>' | '=' | '!' | '+' | '-' | '*' | '/' | '%' => lengthen(&mut chains, at)?,
            _ if !word_before && starts_with_in() => lengthen(&mut chains, at)?,
            _ => {}
        }
        word_before = is_word(c);
        if chains.len() > DEEPEST_NESTING + 1 {
            let message = format!("brackets are nested deeper than {DEEPEST_NESTING} levels");
            return Err(Problem::error(at..at + 1, message).help("split the condition, or remove needless brackets"));
        }
    }
    Ok(())
}

fn lengthen(chains: &mut [usize], at: usize) -> Result<(), Problem> {
    let Some(chain) = chains.last_mut() else { return Ok(()) };
    *chain += 1;
    if *chain > LONGEST_CHAIN {
        let problem = Problem::error(at..at + 1, "too many operators in a row");
        return Err(problem.help("join comparisons with `&&` or `||`"));
    }
    Ok(())
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What the lexer did not know goes first: what the parser then says follows from it.
fn in_plain_words(source: &str, errors: &[ParseError]) -> Vec<Problem> {
    let unknown: Vec<&ParseError> = errors.iter().filter(|e| e.msg.contains("token recognition error")).collect();
    let spoken = if unknown.is_empty() { errors.iter().take(1).collect() } else { unknown };
    spoken.into_iter().map(|error| in_plain_word(source, error)).collect()
}

fn in_plain_word(source: &str, error: &ParseError) -> Problem {
    let span = token_at(source, offset(source, error.pos));
    let (span_start, token) = (span.start, &source[span.clone()]);
    if error.msg.contains("has()") {
        return Problem::error(span, "`has()` is not used in conditions").help("write `x != null`");
    }
    if error.msg.contains("reserved identifier") {
        return Problem::error(span, format!("`{token}` is a reserved word"));
    }
    if token.is_empty() {
        return Problem::error(span, "the condition ends too early").help("something is missing at its end");
    }
    let problem = Problem::error(span, format!("`{token}` is not expected here"));
    match token {
        "=" => problem.help("a comparison is written `==`"),
        "&" | "and" | "AND" => problem.help("\"and\" is written `&&`"),
        "|" | "or" | "OR" => problem.help("\"or\" is written `||`"),
        "not" | "NOT" => problem.help("\"not\" is written `!`"),
        "is" | "IS" => problem.help("\"is\" is written `==`, as in `x == null`"),
        ">" if source[..span_start].ends_with('<') => problem.help("\"not equal\" is written `!=`"),
        "“" | "”" | "„" | "‘" | "’" => problem.help("text stands in straight quotes: \"…\""),
        _ => problem,
    }
}

/// The byte at a line and column as CEL counts them: from one, in characters.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or_default().saturating_sub(1);
    let column = usize::try_from(column).unwrap_or_default().saturating_sub(1);
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &source[start..];
    start + rest.char_indices().nth(column).map_or(rest.len(), |(i, _)| i)
}

/// The word or the sign at a place; empty at the end.
fn token_at(source: &str, at: usize) -> Range<usize> {
    let rest = &source[at..];
    let length = match rest.chars().next() {
        Some(c) if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        Some(c) => c.len_utf8(),
        None => 0,
    };
    at..at + length
}

impl<'s> Parsed<'s> {
    /// Where a part stands in the source, brackets that belong to it included.
    pub fn span(&self, expr: &IdedExpr) -> Range<usize> {
        self.extent(expr).map_or(0..self.source.len(), |span| self.balanced(span))
    }

    /// Where the name of a called function or method stands.
    pub fn name_span(&self, expr: &IdedExpr, call: &CallExpr) -> Range<usize> {
        let Some(paren) = self.token(expr) else { return self.span(expr) };
        let before = self.source[..paren.start].trim_end();
        let name = call.func_name.trim_start_matches('.');
        if before.ends_with(name) { before.len() - name.len()..before.len() } else { paren }
    }

    pub fn text(&self, span: &Range<usize>) -> &'s str {
        &self.source[span.clone()]
    }

    /// The token that CEL remembers for a part: a literal, a name, an operator, an opening bracket.
    fn token(&self, expr: &IdedExpr) -> Option<Range<usize>> {
        let (start, last) = self.info.offset_for(expr.id)?;
        let (start, end) = (start as usize, last as usize + 1);
        self.source.get(start..end).map(|_| start..end)
    }

    fn extent(&self, expr: &IdedExpr) -> Option<Range<usize>> {
        let own = self.token(expr);
        let parts: Vec<&IdedExpr> = match &expr.expr {
            Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
            Expr::Select(select) => vec![&select.operand],
            Expr::List(list) => list.elements.iter().collect(),
            _ => Vec::new(),
        };
        let inner = parts.into_iter().filter_map(|part| self.extent(part));
        let mut span = own.into_iter().chain(inner).reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))?;
        match &expr.expr {
            Expr::Call(call) if call.func_name.starts_with(|c| is_word(c) && c != '_') => {
                span.start = span.start.min(self.name_span(expr, call).start);
            }
            // The sign of a negative literal is not part of its token.
            Expr::Literal(LiteralValue::Int(n)) if **n < 0 => span.start = self.sign_before(span.start),
            Expr::Literal(LiteralValue::Double(n)) if n.is_sign_negative() => span.start = self.sign_before(span.start),
            Expr::Select(select) => span.end = span.end.max(self.word_after(span.end, &select.field)),
            _ => {}
        }
        Some(span)
    }

    fn sign_before(&self, at: usize) -> usize {
        let before = self.source[..at].trim_end();
        if before.ends_with('-') { before.len() - 1 } else { at }
    }

    fn word_after(&self, at: usize, word: &str) -> usize {
        let rest = &self.source[at..];
        let skipped = rest.len() - rest.trim_start().len();
        if rest.trim_start().starts_with(word) { at + skipped + word.len() } else { at }
    }

    /// Stretches a span to the brackets that close what it opens and open what it closes.
    fn balanced(&self, span: Range<usize>) -> Range<usize> {
        let (mut open, mut closing) = (0usize, 0usize);
        for (_, c) in self.code.iter().filter(|(at, _)| span.contains(at)) {
            match c {
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' if open > 0 => open -= 1,
                ')' | ']' | '}' => closing += 1,
                _ => {}
            }
        }
        let before = self.code.iter().rev().filter(|(at, c)| *at < span.start && matches!(c, '(' | '[' | '{'));
        let after = self.code.iter().filter(|(at, c)| *at >= span.end && matches!(c, ')' | ']' | '}'));
        let start = before.take(closing).last().map_or(span.start, |(at, _)| *at);
        let end = after.take(open).last().map_or(span.end, |(at, _)| at + 1);
        start..end
    }
}
