/**
 * Shares of names so common somewhere that their agreement says less than that of others: upper estimates over national
 * statistics (US Census 2010 and SSA, ONS, INE Spain, IBGE, WHO-AFRO country lists), folded spelling. A population's own
 * frequencies, where known, replace them.
 */
const GIVEN: Readonly<Record<string, string>> = {
  '0.03': 'mohammed mohamed muhammad maria mary fatima fatuma',
  '0.02': 'john james jose michael ahmed ali juan ana',
  '0.012':
    'robert david william joseph peter joao antonio abdullah hassan aisha mohammad abdul sarah elizabeth grace ibrahim amina mariam samuel daniel',
  '0.007':
    'richard thomas charles paul george moses esther ruth jane rose joyce alice agnes florence jennifer patricia linda barbara susan margaret ' +
    'jessica emmanuel francis patrick stephen simon isaac abraham omar yusuf hussein halima khadija zainab carlos luis manuel francisco pedro ' +
    'luiz paulo marcos lucas gabriel rosa carmen josefa isabel dolores marie jean anne michel pierre philippe jacques anna olga ivan aleksandr sergei',
  '0.004':
    'christopher matthew anthony mark donald steven andrew kenneth joshua kevin brian edward ronald timothy jason jeffrey ryan jacob gary ' +
    'nicholas eric jonathan larry justin scott brandon benjamin gregory frank alexander raymond jack dennis jerry tyler aaron henry nancy ' +
    'betty sandra ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura helen sharon cynthia kathleen amy ' +
    'angela shirley emma brenda pamela nicole samantha katherine christine catherine virginia rachel janet ' +
    'lilian beatrice betty juliet harriet irene judith prossy winnie christine josephine godfrey ronald denis geoffrey charles fred ' +
    'musa juma said salim rashid hamisi saidi joyce neema happiness anna hawa mamadou moussa oumar aminata mariama fatoumata',
};
const FAMILY: Readonly<Record<string, string>> = {
  '0.04': 'nguyen kim li wang garcia silva mohamed ali',
  '0.02':
    'zhang chen liu singh khan tran lee park santos rodriguez gonzalez fernandez lopez martinez hassan ahmed ibrahim hussein abdi diallo traore',
  '0.01':
    'smith jones johnson williams brown davis miller wilson kumar sharma das patel huang zhao yang wu zhou perez sanchez hernandez oliveira ' +
    'souza pereira ferreira costa omar yusuf osman abubakar musa sani bello coulibaly keita toure ndiaye diop ba sow mohammed begum devi',
  '0.005':
    'moore taylor anderson thomas jackson white harris martin thompson robinson clark lewis walker hall allen young king wright scott torres ' +
    'hill green adams baker nelson carter mitchell roberts turner phillips campbell parker evans edwards collins stewart morris rivera ramirez ' +
    'flores gomez diaz cruz reyes morales ortiz gutierrez chavez ramos ruiz castillo rodrigues almeida lima carvalho gomes ribeiro martins ' +
    'mwangi otieno ochieng odhiambo wanjiru njoroge kamau okello ouma opio akello nakato wasswa babirye kato nalubega ssekandi tesfaye girma ' +
    'tadesse bekele alemu kebede haile abebe banda phiri moyo ndlovu dlamini nkosi zulu khumalo mensah owusu adebayo okafor eze',
};

function table(shares: Readonly<Record<string, string>>): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [share, names] of Object.entries(shares)) {
    for (const name of names.split(' ')) out[name] ??= Number(share);
  }
  return out;
}

export const DEFAULT_FREQUENCIES = { given: table(GIVEN), family: table(FAMILY) };
