;; A valid component that needs an interface no host provides.
(component
  (import "acme:secret/vault@1.0.0" (instance $vault
    (export "open" (func (param "door" u32) (result u32)))))
  (core func $open (canon lower (func $vault "open")))
  (core module $m
    (import "vault" "open" (func $open (param i32) (result i32)))
    (func (export "peek") (param i32) (result i32) (call $open (local.get 0))))
  (core instance $host (export "open" (func $open)))
  (core instance $i (instantiate $m (with "vault" (instance $host))))
  (func (export "peek") (param "door" u32) (result u32) (canon lift (core func $i "peek"))))
