import type { LucideIcon } from 'lucide-react'
import type { ButtonHTMLAttributes, Ref } from 'react'
import styles from './button.module.css'

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  readonly ref?: Ref<HTMLButtonElement>
  /** `primary`: the one thing to do here. `plain`: others. `quiet`: without an edge, in bars. `danger`: what cannot be undone. */
  readonly kind?: 'primary' | 'plain' | 'quiet' | 'danger' | 'stat' | 'urgent'
  readonly small?: boolean
  readonly icon?: LucideIcon
}

export function Button({
  kind = 'plain',
  small = false,
  icon: Icon,
  className,
  children,
  type = 'button',
  ...rest
}: ButtonProps) {
  const classes = [styles.button, styles[kind], small ? styles.small : '', className ?? ''].join(' ')
  return (
    <button type={type} className={classes} {...rest}>
      {Icon !== undefined && <Icon aria-hidden size={small ? 15 : 17} strokeWidth={2.1} />}
      {children}
    </button>
  )
}

type IconButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  readonly ref?: Ref<HTMLButtonElement>
  /** What it does, in words: its name to a screen reader and its tooltip. */
  readonly label: string
  readonly icon: LucideIcon
  readonly size?: number
}

/** A button that shows only a picture: 36 px square, so that a thumb hits it (WCAG 2.5.8 asks for 24). */
export function IconButton({ label, icon: Icon, size = 19, className, type = 'button', ...rest }: IconButtonProps) {
  return (
    <button type={type} aria-label={label} title={label} className={`${styles.icon} ${className ?? ''}`} {...rest}>
      <Icon aria-hidden size={size} strokeWidth={2} />
    </button>
  )
}
