;; A component by its preamble whose code does not validate: `add` leaves no
;; number on the stack. Encoding it is possible, compiling it is not.
(component
  (core module $m
    (func (export "add") (param i32 i32) (result i32)
      (drop (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" s32) (param "b" s32) (result s32)
    (canon lift (core func $i "add"))))
