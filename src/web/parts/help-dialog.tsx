// The list of keys.
import { useEffect, useRef, useState } from 'preact/hooks'
import { usePage } from '../page-context.js'
import { areShortcutsOn, shortcuts, switchShortcuts } from '../shortcuts.js'
import { Icon } from './icon.js'

export function HelpDialog() {
  const { isHelpOpen } = usePage()
  const dialog = useRef<HTMLDialogElement>(null)
  const [on, setOn] = useState(areShortcutsOn)
  const open = isHelpOpen.value
  useEffect(() => {
    const one = dialog.current
    if (open && !one?.open) one?.showModal()
    if (!open && one?.open) one.close()
  }, [open])
  const close = (): void => {
    isHelpOpen.value = false
  }
  return (
    <dialog ref={dialog} aria-labelledby="keys" onClose={close}>
      <div class="dialog-head">
        <h2 id="keys">Keys</h2>
        <button type="button" class="button-quiet" onClick={close} aria-label="Close">
          <Icon name="close" />
        </button>
      </div>
      <dl class="keys">
        {shortcuts.map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="small">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setOn(event.currentTarget.checked)
            switchShortcuts(event.currentTarget.checked)
          }}
        />{' '}
        Keys of one letter act
      </label>
    </dialog>
  )
}
