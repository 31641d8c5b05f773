//! Rust source as tokens and paths, as far as the floors need it: comments and texts are left out,
//! grouped imports are taken apart, and `super` is followed. What may import what is not known here.

/// A word, `::` or a single sign, with its line.
#[derive(Clone, Copy, Debug)]
pub struct Token<'s> {
    pub text: &'s str,
    pub line: usize,
}

/// A path of two or more parts as it is written, and the modules inside the file that it stands in.
#[derive(Debug)]
pub struct Path<'s> {
    pub parts: Vec<&'s str>,
    pub line: usize,
    pub within: Vec<&'s str>,
}

impl Path<'_> {
    /// From the crate's root, for paths that begin with `crate`, `leadpact` or `super`; a `super`
    /// that climbs beyond the root (the file may be mounted elsewhere) ends there.
    pub fn rooted(&self, file: &str) -> Option<Vec<String>> {
        let parts: Vec<&str> = self.parts.iter().copied().skip_while(|part| *part == "self").collect();
        let climbs = parts.iter().take_while(|part| **part == "super").count();
        let own = || |part: &&str| part.to_string();
        match parts.first()? {
            &"crate" | &"leadpact" => Some(parts[1..].iter().map(own()).collect()),
            _ if climbs > 0 => {
                let mut module = module_of(file);
                module.extend(self.within.iter().map(own()));
                module.truncate(module.len().saturating_sub(climbs));
                module.extend(parts[climbs..].iter().map(own()));
                Some(module)
            }
            _ => None,
        }
    }
}

/// `store/db.rs` is `store::db`, `store/mod.rs` is `store`.
fn module_of(file: &str) -> Vec<String> {
    let mut parts: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let (mut found, mut rest, mut line) = (Vec::new(), source, 1);
    while !rest.is_empty() {
        let (length, counts) = lexeme(rest);
        let (text, after) = rest.split_at(length);
        if counts {
            found.push(Token { text, line });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    found
}

/// The length of the next piece, and whether it is code.
fn lexeme(rest: &str) -> (usize, bool) {
    let first = rest.chars().next().unwrap_or(' ');
    match first {
        _ if first.is_whitespace() => (first.len_utf8(), false),
        _ if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
        _ if rest.starts_with("/*") => (block_comment(rest), false),
        _ if rest.starts_with("::") => (2, true),
        '"' => (quoted(rest, '"'), false),
        '\'' => (character(rest), false),
        _ if is_word(first) => match raw_text(rest) {
            Some(length) => (length, false),
            None => (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), true),
        },
        _ => (first.len_utf8(), true),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

/// Up to the closing quote that no backslash stands before.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'x'` and `'\n'` are characters; of a lifetime only the quote is taken.
fn character(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => quoted(rest, '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1,
    }
}

/// `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`.
fn raw_text(rest: &str) -> Option<usize> {
    let start = ["r", "br", "cr"].iter().find_map(|p| rest.strip_prefix(p).filter(|s| s.starts_with(['#', '"'])))?;
    let hashes = start.find(|c| c != '#')?;
    let inside = start[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let prefix = rest.len() - inside.len();
    Some(inside.find(&end).map_or(rest.len(), |at| prefix + at + end.len()))
}

/// Every path of these tokens, imports taken apart.
pub fn paths<'s>(tokens: &[Token<'s>]) -> Vec<Path<'s>> {
    let (mut found, mut modules, mut depth, mut at) = (Vec::new(), Vec::<(&str, usize)>::new(), 0, 0);
    while let Some(token) = tokens.get(at) {
        match token.text {
            "{" => depth += 1,
            "}" => {
                depth = usize::saturating_sub(depth, 1);
                modules.retain(|(_, opened)| *opened < depth);
            }
            "mod" if text(tokens, at + 2) == "{" => modules.push((text(tokens, at + 1), depth)),
            word if word.starts_with(is_word) => {
                let mut tree = Tree { tokens, found: Vec::new() };
                at = tree.read(at, Vec::new());
                let within: Vec<&str> = modules.iter().map(|(name, _)| *name).collect();
                let paths = tree.found.into_iter().filter(|(parts, _)| parts.len() > 1);
                found.extend(paths.map(|(parts, line)| Path { parts, line, within: within.clone() }));
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn text<'s>(tokens: &[Token<'s>], at: usize) -> &'s str {
    tokens.get(at).map_or("", |token| token.text)
}

/// Reads one path or one tree of an import.
struct Tree<'t, 's> {
    tokens: &'t [Token<'s>],
    found: Vec<(Vec<&'s str>, usize)>,
}

impl<'s> Tree<'_, 's> {
    /// Answers where it ends. The whole crate under another name reads as `crate::*`.
    fn read(&mut self, mut at: usize, mut parts: Vec<&'s str>) -> usize {
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        loop {
            let word = text(self.tokens, at);
            if word == "{" && !parts.is_empty() {
                return self.group(at + 1, &parts);
            }
            if word == "*" || word.starts_with(is_word) {
                parts.push(word);
                at += 1;
            }
            if text(self.tokens, at) != "::" {
                break;
            }
            at += 1;
        }
        let renamed = text(self.tokens, at) == "as";
        if renamed && matches!(parts[..], ["crate"] | ["crate", "self"]) {
            parts = vec!["crate", "*"];
        }
        self.found.push((parts, line));
        if renamed { at + 2 } else { at }
    }

    fn group(&mut self, mut at: usize, parts: &[&'s str]) -> usize {
        loop {
            match text(self.tokens, at) {
                "" => return at,
                "}" => return at + 1,
                word if word == "{" || word.starts_with(is_word) || word == "*" => at = self.read(at, parts.to_vec()),
                _ => at += 1,
            }
        }
    }
}
