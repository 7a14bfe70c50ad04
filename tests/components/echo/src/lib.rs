//! Returns what it is given: every kind of value passes the border both ways.

wit_bindgen::generate!({ path: "wit" });

struct Echo;

export!(Echo);

impl Guest for Echo {
    fn echo_bool(value: bool) -> bool {
        value
    }

    fn echo_s8(value: i8) -> i8 {
        value
    }

    fn echo_s16(value: i16) -> i16 {
        value
    }

    fn echo_s32(value: i32) -> i32 {
        value
    }

    fn echo_s64(value: i64) -> i64 {
        value
    }

    fn echo_u8(value: u8) -> u8 {
        value
    }

    fn echo_u16(value: u16) -> u16 {
        value
    }

    fn echo_u32(value: u32) -> u32 {
        value
    }

    fn echo_u64(value: u64) -> u64 {
        value
    }

    fn echo_f32(value: f32) -> f32 {
        value
    }

    fn echo_f64(value: f64) -> f64 {
        value
    }

    fn echo_char(value: char) -> char {
        value
    }

    fn echo_string(value: String) -> String {
        value
    }

    fn echo_bytes(value: Vec<u8>) -> Vec<u8> {
        value
    }

    fn echo_strings(value: Vec<String>) -> Vec<String> {
        value
    }

    fn echo_matrix(value: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        value
    }

    fn echo_person(value: Person) -> Person {
        value
    }

    fn echo_tuple(value: (String, u32, bool)) -> (String, u32, bool) {
        value
    }

    fn echo_shape(value: Shape) -> Shape {
        value
    }

    fn echo_answer(value: Answer) -> Answer {
        value
    }

    fn echo_verdict(value: Verdict) -> Verdict {
        value
    }

    fn echo_color(value: Color) -> Color {
        value
    }

    fn echo_permissions(value: Permissions) -> Permissions {
        value
    }

    fn echo_option(value: Option<u32>) -> Option<u32> {
        value
    }

    fn echo_nested_option(value: Option<Option<u32>>) -> Option<Option<u32>> {
        value
    }

    fn echo_result(value: Result<u32, String>) -> Result<u32, String> {
        value
    }

    fn echo_same_result(value: Result<String, String>) -> Result<String, String> {
        value
    }

    fn echo_empty_result(value: Result<(), ()>) -> Result<(), ()> {
        value
    }

    fn echo_everything(value: Everything) -> Everything {
        value
    }

    fn nothing() {}
}
