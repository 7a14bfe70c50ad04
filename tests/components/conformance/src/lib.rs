//! The tools that the official conformance suite calls.

wit_bindgen::generate!({ path: "wit", generate_all });

use wasmoor::mcp::content::{BlobResource, Media, TextResource};
use wasmoor::mcp::progress;

struct Conformance;

export!(Conformance);

/// A PNG of one red pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xf8, 0xcf, 0xc0, 0x00, 0x00, 0x03, 0x01, 0x01, 0x00, 0xf7, 0x03, 0x41, 0x43,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// A WAV file (PCM, 8 bits, one channel, 8000 Hz) with two samples of silence.
const SILENCE: &[u8] = b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x02\0\0\0\x80\x80";

fn image() -> Block {
    Block::Image(Media { data: PIXEL.to_vec(), mime_type: "image/png".into() })
}

fn resource(uri: &str, mime_type: &str, text: &str) -> Block {
    Block::TextResource(TextResource { uri: uri.into(), mime_type: Some(mime_type.into()), text: text.into() })
}

impl Guest for Conformance {
    fn test_simple_text() -> String {
        "This is a simple text response for testing.".into()
    }

    fn test_image_content() -> Vec<Block> {
        vec![image()]
    }

    fn test_audio_content() -> Vec<Block> {
        vec![Block::Audio(Media { data: SILENCE.to_vec(), mime_type: "audio/wav".into() })]
    }

    fn test_embedded_resource() -> Vec<Block> {
        vec![resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]
    }

    fn test_multiple_content_types() -> Vec<Block> {
        vec![
            Block::Text("Multiple content types test:".into()),
            image(),
            resource("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#),
        ]
    }

    fn test_error_handling() -> Result<String, String> {
        Err("This tool intentionally returns an error for testing".into())
    }

    fn test_tool_with_progress() -> Vec<Block> {
        for step in [0.0, 50.0, 100.0] {
            progress::report(step, Some(100.0), Some(&format!("{step} of 100")));
        }
        vec![Block::Text("done".into())]
    }

    fn test_logging_tool() -> String {
        "nothing is logged to clients".into()
    }

    fn test_streaming_elicitation() -> String {
        "nothing is asked of clients".into()
    }

    fn report_often(times: u32) -> u32 {
        for step in 0..times {
            progress::report(step.into(), None, None);
        }
        times
    }

    fn test_embedded_blob() -> Vec<Block> {
        vec![Block::BlobResource(BlobResource { uri: "test://blob".into(), mime_type: None, data: vec![0, 1, 2] })]
    }
}
