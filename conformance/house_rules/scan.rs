//! Enough of Rust's grammar to tell code from comments and literals. It does not parse: macros,
//! generics and attributes are tokens like any others.

/// A source in two views of the same lines and columns: what is not in a view is blank there.
#[derive(Debug)]
pub(crate) struct Views {
    /// Code without comments and without the inside of literals.
    pub code: String,
    /// Only the inside of string literals.
    pub text: String,
}

/// An identifier, a number, `::`, or one character of punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// As written.
    pub text: String,
    /// From 1.
    pub line: usize,
}

/// One function with a body.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name.
    pub name: String,
    /// Line of its `fn`.
    pub first: usize,
    /// Line of its closing brace.
    pub last: usize,
    /// Its body in the tokens it was found in: from the opening brace to the closing one.
    pub body: std::ops::RangeInclusive<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Code,
    Comment,
    Text,
}

/// Splits a source into its views.
pub(crate) fn views(source: &str) -> Views {
    let chars: Vec<char> = source.chars().collect();
    let mut views = Views {
        code: String::new(),
        text: String::new(),
    };
    let mut at = 0;
    while at < chars.len() {
        let (class, end) = lexeme(&chars, at);
        for &c in &chars[at..end] {
            let shown = |wanted| if class == wanted || c == '\n' { c } else { ' ' };
            views.code.push(shown(Class::Code));
            views.text.push(shown(Class::Text));
        }
        at = end;
    }
    views
}

/// Class and end of the lexeme that begins at `at`; always at least one character long.
fn lexeme(chars: &[char], at: usize) -> (Class, usize) {
    let next = chars.get(at + 1).copied().unwrap_or('\0');
    match chars[at] {
        '/' if next == '/' => (Class::Comment, line_end(chars, at)),
        '/' if next == '*' => (Class::Comment, block_comment_end(chars, at)),
        '"' => (Class::Text, string_end(chars, at)),
        '\'' => char_or_lifetime(chars, at),
        c if is_word(c) => word_or_raw(chars, at),
        _ => (Class::Code, at + 1),
    }
}

fn line_end(chars: &[char], at: usize) -> usize {
    let rest = chars[at..].iter().position(|&c| c == '\n');
    rest.map_or(chars.len(), |n| at + n)
}

/// Block comments nest.
fn block_comment_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// `'a'` and `'\n'` are literals, `'a` is a lifetime.
fn char_or_lifetime(chars: &[char], at: usize) -> (Class, usize) {
    if chars.get(at + 1) == Some(&'\\') {
        let close = chars.iter().skip(at + 3).position(|&c| c == '\'');
        return (Class::Comment, close.map_or(chars.len(), |n| at + 4 + n));
    }
    if chars.get(at + 2) == Some(&'\'') {
        return (Class::Comment, at + 3);
    }
    (Class::Code, at + 1)
}

/// A word, or the raw string that `r`, `br` or `cr` opens.
fn word_or_raw(chars: &[char], at: usize) -> (Class, usize) {
    let length = chars[at..].iter().take_while(|&&c| is_word(c)).count();
    let after = at + length;
    let word: String = chars[at..after].iter().collect();
    if !matches!(word.as_str(), "r" | "br" | "cr") {
        return (Class::Code, after);
    }
    let hashes = chars[after..].iter().take_while(|&&c| c == '#').count();
    if chars.get(after + hashes) != Some(&'"') {
        return (Class::Code, after);
    }
    let mut close = vec!['"'];
    close.resize(hashes + 1, '#');
    let body = after + hashes + 1;
    let end = chars[body..]
        .windows(close.len())
        .position(|w| w == close.as_slice());
    (
        Class::Text,
        end.map_or(chars.len(), |n| body + n + close.len()),
    )
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The tokens of a code view.
pub(crate) fn tokens(code: &str) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let chars: Vec<char> = line.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let length = match chars[at] {
                c if is_word(c) => chars[at..].iter().take_while(|&&c| is_word(c)).count(),
                ':' if chars.get(at + 1) == Some(&':') => 2,
                _ => 1,
            };
            if !chars[at].is_whitespace() {
                let text = chars[at..at + length].iter().collect();
                let line = number + 1;
                all.push(Token { text, line });
            }
            at += length;
        }
    }
    all
}

/// True for a token that is a name or a keyword.
pub(crate) fn is_name(token: &Token) -> bool {
    let first = token.text.chars().next();
    first.is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// Index of the token that closes the bracket at `open`; the last token if nothing does.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

/// Every function that has a name and a body, in order; those inside others too.
pub(crate) fn functions(tokens: &[Token]) -> Vec<Function> {
    let starts = tokens.windows(2).enumerate();
    let named = starts.filter(|(_, w)| w[0].text == "fn" && is_name(&w[1]));
    named
        .filter_map(|(at, _)| function_at(tokens, at))
        .collect()
}

fn function_at(tokens: &[Token], at: usize) -> Option<Function> {
    let mut i = at + 2;
    while i < tokens.len() {
        match tokens[i].text.as_str() {
            "(" | "[" => i = closing(tokens, i),
            ";" => return None,
            "{" => {
                let end = closing(tokens, i);
                return Some(Function {
                    name: tokens[at + 1].text.clone(),
                    first: tokens[at].line,
                    last: tokens[end].line,
                    body: i..=end,
                });
            }
            _ => {}
        }
        i += 1;
    }
    None
}

/// Token ranges of the inline modules under `#[cfg(test)]`, from `#` to the closing brace.
pub(crate) fn test_modules(tokens: &[Token]) -> Vec<std::ops::RangeInclusive<usize>> {
    let marker = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let here = tokens[at..].iter().take(marker.len());
        if !here.map(|t| t.text.as_str()).eq(marker) {
            continue;
        }
        let mut i = at + marker.len();
        while tokens.get(i).is_some_and(|t| t.text == "#") {
            i = closing(tokens, i + 1) + 1; // further attributes
        }
        let opens = tokens.get(i + 2).is_some_and(|t| t.text == "{");
        if tokens.get(i).is_some_and(|t| t.text == "mod") && opens {
            found.push(at..=closing(tokens, i + 2));
        }
    }
    found
}
