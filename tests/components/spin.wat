;; `spin` never returns; `ping` answers at once, to show that others still can.
(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 16) "pong")
    (func (export "spin") (loop $again (br $again)))
    (func (export "ping") (result i32)
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 4))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "spin") (canon lift (core func $i "spin")))
  (func (export "ping") (result string)
    (canon lift (core func $i "ping") (memory (core memory $i "memory")))))
