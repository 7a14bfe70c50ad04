//! Tools for plain text, exported as the functions of `wit/world.wit`.

use std::cmp::Reverse;
use std::collections::HashMap;

use heck::{ToKebabCase, ToLowerCamelCase, ToSnakeCase, ToTitleCase, ToUpperCamelCase};
use unicode_segmentation::UnicodeSegmentation;

wit_bindgen::generate!({ path: "wit" });

const DEFAULT_LIMIT: u32 = 10;

struct Text;

export!(Text);

impl Guest for Text {
    fn slugify(text: String, max_length: Option<u32>) -> String {
        let ascii = deunicode::deunicode(&text).to_ascii_lowercase();
        let words = ascii
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty());
        let slug = words.collect::<Vec<_>>().join("-");
        match max_length {
            Some(length) => shorten(&slug, length as usize),
            None => slug,
        }
    }

    fn word_frequencies(text: String, limit: Option<u32>) -> Vec<WordCount> {
        let mut counts: HashMap<String, u32> = HashMap::new();
        for word in text.unicode_words() {
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
        let mut words: Vec<WordCount> = counts
            .into_iter()
            .map(|(word, count)| WordCount { word, count })
            .collect();
        words.sort_by(|a, b| (Reverse(a.count), &a.word).cmp(&(Reverse(b.count), &b.word)));
        words.truncate(limit.unwrap_or(DEFAULT_LIMIT) as usize);
        words
    }

    fn parse_csv(text: String, delimiter: Option<char>) -> Result<Table, CsvError> {
        let delimiter = u8::try_from(delimiter.unwrap_or(','))
            .ok()
            .filter(u8::is_ascii)
            .ok_or_else(|| CsvError {
                line: 1,
                message: "the delimiter must be ASCII".into(),
            })?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let header = cells(reader.headers().map_err(describe)?);
        let rows = reader
            .records()
            .map(|record| record.map(|row| cells(&row)).map_err(describe))
            .collect::<Result<_, _>>()?;
        Ok(Table { header, rows })
    }

    fn change_case(identifier: String, to: LetterCase) -> String {
        match to {
            LetterCase::Kebab => identifier.to_kebab_case(),
            LetterCase::Snake => identifier.to_snake_case(),
            LetterCase::LowerCamel => identifier.to_lower_camel_case(),
            LetterCase::UpperCamel => identifier.to_upper_camel_case(),
            LetterCase::Title => identifier.to_title_case(),
        }
    }
}

/// Cuts a slug, which is ASCII, at the last hyphen that leaves it within `length` bytes.
fn shorten(slug: &str, length: usize) -> String {
    if slug.len() <= length {
        return slug.to_owned();
    }
    let end = if slug.as_bytes()[length] == b'-' {
        length
    } else {
        slug[..length].rfind('-').unwrap_or(length)
    };
    slug[..end].to_owned()
}

fn cells(record: &csv::StringRecord) -> Vec<String> {
    record.iter().map(str::to_owned).collect()
}

fn describe(error: csv::Error) -> CsvError {
    let line = error.position().map_or(1, csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{len} cells where the header has {expected_len}")
        }
        _ => error.to_string(),
    };
    CsvError { line, message }
}
