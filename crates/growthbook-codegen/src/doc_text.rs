//! Foreign text in doc comments. It must not change the code, be markup, or run as a doctest.

/// The width of a line of generated code.
pub(crate) const WIDTH: usize = 100;

/// The most characters of a description. The rest is left out.
const MAX_DESCRIPTION: usize = 2_000;

/// The most characters of a value.
const MAX_VALUE: usize = 80;

/// Returns the lines of a doc comment that show a text as it is.
pub(crate) fn lines(text: &str, indent: usize) -> Vec<String> {
    let text = shortened(text, MAX_DESCRIPTION);
    let width = WIDTH - indent - "/// ".len();
    let mut lines: Vec<String> = Vec::new();
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    for paragraph in text.split(ends) {
        let words: Vec<String> = paragraph.split_whitespace().map(escaped_word).collect();
        match lines.last() {
            _ if !words.is_empty() => lines.extend(wrapped(&words, width)),
            Some(last) if !last.is_empty() => lines.push(String::new()),
            _ => {}
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Returns a text of one line as code in a doc comment.
pub(crate) fn code(text: &str) -> String {
    let mut shown = String::new();
    for char in shortened(text, MAX_VALUE).chars() {
        match char {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            _ => push_visible(&mut shown, char),
        }
    }
    if shown.is_empty() {
        return "(empty)".to_owned();
    }
    let runs = shown.split(|char| char != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    // A space at each end is not shown.
    let space = if shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{shown}{space}{fence}")
}

/// Returns a text as one line of an ordinary comment.
pub(crate) fn comment(text: &str) -> String {
    let mut line = String::new();
    for char in text.chars() {
        push_visible(&mut line, if char.is_whitespace() { ' ' } else { char });
    }
    line
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Adds a character. One that is not visible, or that changes the direction of text, is shown as an
/// escape: the compiler refuses such characters in comments.
fn push_visible(text: &mut String, char: char) {
    let changes_direction =
        matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if char.is_control() || changes_direction || matches!(char, '\u{2028}' | '\u{2029}') {
        text.extend(char.escape_unicode());
    } else {
        text.push(char);
    }
}

/// Escapes what Markdown would read as markup.
fn escaped_word(word: &str) -> String {
    if is_plain_url(word) {
        return format!("<{word}>");
    }
    let mut visible = String::new();
    word.chars().for_each(|char| push_visible(&mut visible, char));
    let mut escaped = String::new();
    let chars: Vec<char> = visible.chars().collect();
    for (index, &char) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| chars.get(before));
        let after = chars.get(index + 1);
        let is_inside = [before, after].into_iter().flatten().filter(|it| it.is_alphanumeric());
        let is_markup = match char {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '~' | '|' | '$' => true,
            '_' => is_inside.count() < 2,
            '&' => after.is_some_and(|it| *it == '#' || it.is_alphanumeric()),
            // The beginning of an address that is not a plain one.
            ':' => after == Some(&'/'),
            _ => false,
        };
        if is_markup {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

fn is_plain_url(word: &str) -> bool {
    let rest = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-._~:/?#@!$+,;=%&".contains(char);
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_plain))
}

/// Joins words to lines of at most this width, where words allow it.
fn wrapped(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines.iter().map(|line| without_block(line)).collect()
}

/// Escapes the beginning of a line that Markdown would read as a list, heading or table.
fn without_block(line: &str) -> String {
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    if digits > 0 && rest.starts_with(['.', ')']) {
        return format!("{number}\\{rest}");
    }
    if line.starts_with(['#', '-', '+', '=', ':']) { format!("\\{line}") } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

    use super::*;

    /// Text that is not plain text in Markdown or Rust.
    const HOSTILE: [&str; 26] = [
        "*/ fn main() { panic!() } /*",
        "```\npanic!(\"run\");\n```",
        "~~~rust\npanic!()\n~~~",
        "first\n\n    panic!(\"indented code\");",
        "\tpanic!()",
        "<script>alert(1)</script> <b>bold</b> <!-- comment -->",
        "[link](https://example.com) [broken] [`Broken`] ![image](x)",
        "see https://example.com/a?b=c, or http://localhost:3100",
        "(https://example.com) https://example.com/<x>",
        "# heading\n## second\nunder\n---\nunder\n===",
        "- item\n+ item\n* item\n1. item\n2) item\n-",
        "> quote\n| a | b |\n|---|---|\n| c | d |",
        "*bold* _under_ snake_case __init__ ~strike~ `code` ``two``",
        "&amp; &lt; &#60; a & b",
        "back\\slash \\` \\* c:\\temp\\new",
        "\"quotes\" 'single' r#\"raw\"#",
        "carriage\rreturn\u{b}tab\u{c}feed",
        "direction \u{202e}override\u{2066}",
        "nul\0 bell\u{7} escape\u{1b}[31m",
        "line\u{2028}separator",
        "[^1] footnote\n\n[^1]: text",
        "$math$ $$more$$",
        "term\n: definition",
        "- [ ] task",
        "[a]: https://example.com",
        "naïve 🎉 \u{1f468}\u{200d}\u{1f469} हिन्दी",
    ];

    fn plain(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn hostile_text_is_shown_as_it_is() {
        for text in HOSTILE {
            let markdown = lines(text, 4).join("\n");
            let mut shown = String::new();
            for event in Parser::new_ext(&markdown, Options::all()) {
                match event {
                    Event::Text(text) => shown += &text,
                    Event::SoftBreak | Event::End(TagEnd::Paragraph) => shown += " ",
                    Event::Start(
                        Tag::Paragraph | Tag::Link { link_type: LinkType::Autolink, .. },
                    )
                    | Event::End(TagEnd::Link) => {}
                    other => panic!("{text:?} is read as {other:?} in {markdown}"),
                }
            }
            let mut expected = String::new();
            for char in text.chars() {
                let is_end = char.is_whitespace() || char == '\u{85}';
                if is_end { expected.push(' ') } else { push_visible(&mut expected, char) }
            }
            // Typographic quotes and dashes are a matter of taste.
            let straight = |text: &str| {
                text.replace(['“', '”'], "\"")
                    .replace(['‘', '’'], "'")
                    .replace('–', "--")
                    .replace('—', "---")
            };
            assert_eq!(straight(&plain(&shown)), straight(&plain(&expected)), "{markdown}");
        }
    }

    #[test]
    fn lines_cannot_end_a_comment() {
        let refused = |char: char| char.is_control() || matches!(char, '\u{202a}'..='\u{202e}');
        for text in HOSTILE {
            let all = [lines(text, 4), vec![code(text), comment(text)]].concat();
            assert!(all.iter().all(|line| !line.contains(refused)), "{all:?}");
        }
    }

    #[test]
    fn code_is_one_span() {
        let cases = [
            ("a", "`a`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            (" a", "`  a `"),
            ("a\nb", "`a\\nb`"),
            ("", "(empty)"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected);
        }
    }

    #[test]
    fn long_text_is_wrapped_and_shortened() {
        let lines = lines(&"word ".repeat(1_000), 4);
        assert!(lines.iter().all(|line| line.chars().count() + "    /// ".len() <= WIDTH));
        assert!(lines.iter().map(|line| line.chars().count() + 1).sum::<usize>() < 2_050);
        assert!(lines.last().unwrap().ends_with('…'));
    }
}
