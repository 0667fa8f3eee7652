import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { Key } from '../../ui/bits.tsx';
import '../../ui/plain-table.css';

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [['L'], 'One person: link the two records'],
  [['D'], 'Different people: never link them by score again'],
  [['S'], 'Later: put the pair off'],
  [['U'], 'Undo the last decision'],
  [['J', '→'], 'Next pair'],
  [['K', '←'], 'Previous pair'],
  [['/'], 'Search everything'],
  [['?'], 'These keys'],
];

export function ReviewHelp({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Modal opened onClose={onClose} title="Keys for reviewing">
      <table className="plain-table">
        <thead className="visually-hidden">
          <tr>
            <th scope="col">Key</th>
            <th scope="col">What it does</th>
          </tr>
        </thead>
        <tbody>
          {KEYS.map(([keys, words]) => (
            <tr key={words}>
              <th scope="row" className="nowrap">
                {keys.map((key) => (
                  <Key key={key}>{key}</Key>
                ))}
              </th>
              <td>{words}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Modal>
  );
}
