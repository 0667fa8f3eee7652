import { Button, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { z } from 'zod';
import { PermissionName, RoleAnswer, type RoleEntry } from '../../../features/identity/wire-organisations.ts';
import type { Permission } from '../../../kernel/access.ts';
import { api } from '../../app/api.ts';
import { useDraftForm } from '../../app/draft-form.ts';
import { useMay } from '../../app/session.tsx';
import { isBuiltIn, plural, ROLE_WORDS } from '../../app/words.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Tag } from '../../ui/bits.tsx';
import { IconPlus } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { SureDialog, type SureDialogProps } from '../../ui/sure-dialog.tsx';
import { Own } from '../../ui/text.tsx';
import { PeoplePlaces } from './people-places.tsx';
import { PermissionField } from './permission-field.tsx';
import { permissionWords } from './permission-words.ts';
import { roleList } from './rights-queries.ts';
import './rights.css';

/** What each role gives; four are built in, others are the programme's own. */
export function RolesPage(): ReactNode {
  const manages = useMay()('organisation.manage');
  const [open, setOpen] = useState<RoleEntry | 'new'>();
  const list = useQuery(roleList);
  return (
    <Page
      title="Roles"
      sentence="A role is a set of permissions. What somebody may in an organisation is what their roles there give, below its ceiling."
      width="reading"
      action={
        manages && (
          <Button leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setOpen('new')}>
            Make a role
          </Button>
        )
      }
    >
      <PeoplePlaces />
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={4} />}
      {list.isSuccess && (
        <ul className="cards">
          {list.data.roles.map((role) => (
            <li key={role.id}>
              <div>
                <h2>
                  {isBuiltIn(role.id) ? ROLE_WORDS[role.id].name : <Own>{role.name ?? ''}</Own>}{' '}
                  {role.builtIn && <Tag tone="quiet">built in</Tag>}
                </h2>
                {role.about !== undefined && role.about !== '' && (
                  <p>
                    <Own>{role.about}</Own>
                  </p>
                )}
                <p className="soft small">{role.permissions.map(permissionWords).join(' · ')}</p>
                {role.held !== undefined && (
                  <p className="small">{plural(role.held, 'person holds it', 'people hold it')}</p>
                )}
              </div>
              {manages && !role.builtIn && (
                <Button
                  variant="default"
                  size="xs"
                  aria-label={`Change ${role.name ?? ''}`}
                  onClick={() => setOpen(role)}
                >
                  Change
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {list.isSuccess && list.data.roles.every((role) => role.builtIn) && (
        <p className="soft">
          There is no role of your own yet. Make one where the four do not fit, and give it to people on their page.
        </p>
      )}
      {open !== undefined && <RoleDialog role={open === 'new' ? undefined : open} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

const RoleDraft = z.object({ name: z.string(), about: z.string(), permissions: z.array(PermissionName) });

function useRoleDraft(role: RoleEntry | undefined, leave: () => void) {
  const { name = '', about = '', permissions = [] } = role ?? {};
  return useDraftForm(`role ${role?.id ?? ''}`, RoleDraft, { name, about, permissions }, leave);
}

function RoleDialog({
  role,
  onClose: leave,
}: {
  readonly role: RoleEntry | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const [given, change, onClose] = useRoleDraft(role, leave);
  const { name, about, permissions } = given;
  const [tried, setTried] = useState(false);
  const [retiring, setRetiring] = useState(false);
  const { save, retire } = useRoleActs(role, given, onClose);
  const fits = name.trim() !== '' && permissions.length > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (fits) save.mutate();
  };
  return (
    <Dialog opened onClose={onClose} size="lg" title={role === undefined ? 'Make a role' : 'Change the role'}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label="Name"
          value={name}
          maxLength={60}
          error={tried && name.trim() === '' ? 'Type a name.' : undefined}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <Textarea
          label="What it is for"
          value={about}
          maxLength={300}
          onChange={(event) => change({ about: event.currentTarget.value })}
        />
        <PermissionField
          label="Permissions"
          description="You can give those that you have yourself. Whoever holds the role has them from their next request."
          value={permissions}
          onChange={(next) => change({ permissions: [...next] })}
          error={tried && permissions.length === 0 ? 'Tick at least one.' : undefined}
        />
        {save.isError && <FailureNotice error={save.error} focus />}
        <div className="dialog-actions">
          {role !== undefined && (
            <Button variant="default" color="red" onClick={() => setRetiring(true)}>
              Retire
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
      {retiring && role !== undefined && (
        <RetireQuestion
          role={role}
          busy={retire.isPending}
          error={retire.error}
          onClose={() => setRetiring(false)}
          onSure={() => retire.mutate()}
        />
      )}
    </Dialog>
  );
}

type QuestionProps = Pick<SureDialogProps, 'busy' | 'error' | 'onClose' | 'onSure'> & { readonly role: RoleEntry };

function RetireQuestion({ role, ...rest }: QuestionProps): ReactNode {
  return (
    <SureDialog title="Retire this role" confirm="Retire it" {...rest}>
      <p>
        <Own strong>{role.name ?? ''}</Own> gives nothing any more
        {role.held !== undefined && role.held > 0 && `: ${plural(role.held, 'person loses', 'people lose')} it`}.
      </p>
    </SureDialog>
  );
}

function useRoleActs(
  role: RoleEntry | undefined,
  wanted: { readonly name: string; readonly about: string; readonly permissions: readonly Permission[] },
  onClose: () => void,
) {
  const queries = useQueryClient();
  const onSuccess = async (): Promise<void> => {
    await queries.invalidateQueries({ queryKey: roleList.queryKey });
    onClose();
  };
  const save = useMutation({
    mutationFn: () =>
      role === undefined
        ? api.send('POST', '/api/roles', RoleAnswer, wanted)
        : api.send('PUT', `/api/roles/${role.id}`, RoleAnswer, wanted),
    onSuccess,
  });
  const retire = useMutation({ mutationFn: () => api.act('DELETE', `/api/roles/${role?.id}`), onSuccess });
  return { save, retire };
}
