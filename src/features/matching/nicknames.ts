/**
 * Names that stand for each other. Each line is one group; a name may be in several (Alex: Alexander, Alexandra). Collected from
 * common English, Spanish, French, Portuguese, German, Arabic and East African usage; spelling variants that the similarity
 * measures find by themselves are left out.
 */
const GROUPS = `
alexander alex alec sandy xander sasha alejandro iskandar alessandro alexandre aleksandr
alexandra alex sandra sandy lexi sasha alejandra alexandria
abigail abby gail
abraham abe bram ibrahim avraham ibra
adelaide addie heidi della
agnes aggie nessie ines
albert al bert alberto bertie
alfred al fred alf alfie alfredo
alison ali allie
amanda mandy manda
andrew andy drew andre andreas andres andrea
angela angie angel angelina
ann anna anne annie nan nancy hannah anita ana anya anni
anthony tony anton antonio antony
arthur art artie arturo
augustine gus austin augustin agostino
barbara barb babs bobbie barbie
benjamin ben benny benji benjy
bernard bernie barney bernardo
beatrice bea trixie bee beatriz
bridget biddy bridie
caroline carol carrie carolyn lina carolina
catherine cathy kate katie kathy kay kit kitty kathleen katherine karen catalina katrina cathleen trina kat katarzyna ekaterina
cecilia celia cissy cecile
charles charlie chuck chas carlos carl karl charley carlo
charlotte lottie charlie carlota
christine chris chrissy tina christina kristina christiane
christopher chris kit topher cristobal kris christoph
clarence clare clary
constance connie
cynthia cindy
daniel dan danny danilo
david dave davey davy daud dawud daudi
deborah deb debbie debby debora
dennis denny denis dionisio
dominic dom nick dominique domingo
donald don donnie
dorothy dot dottie dolly dora dorothea
edmund ed eddie ned ted
edward ed eddie ned ted teddy eduardo edouard
edwin ed eddie win
eleanor ellie nell nellie nora ella leonora elena
elizabeth liz beth betty eliza bess bessie lizzie libby elsie lisa elisabeth isabel betsy lizbeth elsa liza elisa lilibet
emily em emmy millie emilia
emmanuel manny manuel emanuel immanuel manu
ernest ernie ernesto
esther hester essie ester
eugene gene eugenio
evelyn eve evie
ferdinand fred ferdie fernando nando
florence flo florrie flossie
frances fran fanny frankie francie francisca francesca francoise
francis frank frankie fran francisco paco pancho francois franz francesco
frederick fred freddie freddy fritz fredrick federico friedrich
gabriel gabe gabi
gabrielle gabby gabi gabriela
geoffrey geoff jeff jeffrey
george georgie jorge georges georg giorgio yuri
gerald gerry jerry
gerard gerry jerry gerardo
gilbert gil bert
gregory greg gregg gregorio
gertrude gertie trudy
grace gracie graciela
guillermo memo guille william
gwendolyn gwen wendy
harold harry hal
harriet hattie harrie
helen nell nellie lena ellen helena elena eleni
henry harry hank hal enrique henri heinrich enrico
herbert herb bert herbie
hugh hughie hugo
ignatius iggy nacho ignacio
isaac ike zac isaak ishaq
isabella bella isabel izzy ysabel
jacob jake jack jakob yakub yaqub jaap jacobo yakobo
jacqueline jackie jacqui
james jim jimmy jamie jem jaime diego jacques santiago tiago
jane jenny janet janie jean joan juana jeanne
janet jan jenny
jason jay jase
jennifer jen jenny jenn
jeremiah jerry jeremy jem
jessica jess jessie
joan joanie joanna juana johanna jo jeanne
joanna jo joan johanna anna joanne
john jack johnny jon juan johann jean ivan ian sean johan giovanni johannes yohana yahya hans joao
jonathan jon john johnny jonny nathan
joseph joe joey jose pepe yusuf josef giuseppe yosef joze youssef
josephine jo josie fina josefina
joshua josh yeshua josue
joyce joy
judith judy judi
julia julie jules juliet giulia
kenneth ken kenny
kimberly kim
laurence larry laurie lawrence lorenzo lars laurent
laura laurie lori lauren
leonard leo len lenny leonardo
leopold leo poldi
lillian lily lil lilian
louis lou lewis louie luis ludwig luigi
louise lou lulu luisa
lucy lucia lu lucille luz
luke lucas lukas luka
magdalene maggie lena magda magdalena
margaret maggie meg peggy marge margie greta rita daisy peg madge margarita marguerite margot gretchen
mark marcus marc marco marcos markus
martha marty mattie marta
martin marty martino
mary molly polly mamie maria marie mariam maryam miriam mia moll mae may maryamu mariamu
matilda tilly mattie tillie
matthew matt matty mateo matthias mathias mateus matteo
maurice morris maury mauricio
maximilian max
melissa lissa mel missy
michael mike mick mickey micky miguel mikhail michel mikael mischa michele mikaeli
mildred millie
mitchell mitch
mohammed mohamed muhammad mohammad muhammed mohamad mehmet mamadou mohd muhamad md mamadu mohamud muhamed
moses moe musa moshe moussa moises
nathaniel nat nate nathan
nicholas nick nicky nico nicolas klaus claus niko mykola nikolai
nicole nicky niki
noah nuh
oliver ollie
pamela pam
patricia pat patty tricia trish patti
patrick pat paddy patricio padraig
paul pablo pavel paolo paulo pol
paula pauline paulina
penelope penny
peter pete pedro pierre piotr pietro petr petro petero
philip phil felipe philippe pip
phyllis phil
priscilla prissy cilla
rachel rae rachael raquel
raphael rafael rafe rafa
raymond ray ramon raimundo
rebecca becky becca rebeka
regina gina
reginald reg reggie
richard rick rich dick richie ricky ricardo
robert bob rob bobby robbie roberto bert robin
roberta bobbie bobby
roderick rod roddy rodrigo
rodney rod
roger rog rodger hodge
ronald ron ronnie
rosemary rose rosie
rose rosa rosie rosalie
rudolph rudy rolf rodolfo
russell russ rusty
samantha sam sammy
samuel sam sammy
sarah sally sadie sara
sebastian seb bastian
sharon shari
sheila cecilia
simon si simeon
solomon sol sulayman suleiman suleman sulaiman suleyman
sophia sophie sofia
stanley stan
stephanie steph steffi stefanie
stephen steve steven stevie esteban stefan etienne stefano
stuart stu stewart
susan sue susie suzy susanna susanne suzanne sukie
sylvia silvia
sylvester sly
teresa terry tess tessa theresa terri tracy therese
terence terry
thaddeus tad thad
theodore ted teddy theo teodoro
theodora dora
thomas tom tommy tomas
timothy tim timmy timoteo
tobias toby
ursula uschi
valentine val
valerie val
vanessa nessa
veronica ronnie vera nica
vernon vern
victor vic viktor
victoria vicky tori vickie
vincent vince vinnie vicente
virginia ginny ginger
walter walt wally
wilfred will fred wilf
wilhelmina mina minnie willa
william will bill billy willie liam wilhelm willy guillaume
winifred winnie freda
winston win
xavier javier
yvonne eve evonne
zachary zach zack zac zachariah zakaria zechariah zakariya
abdullah abdallah abdul abdoulaye
abdulrahman abdul abdirahman rahman
abdulaziz abdul aziz
ahmed ahmad ahmet amadou ahamed
aisha aicha aysha ayesha aishatu aissatou
ali aly aliyu
fatima fatma fatuma fatoumata fatou fatimah fatmata fatimata
hassan hasan lassana
hussein husein hussain huseyin husayn
ibrahim ibrahima brahim ebrahim
khadija hadija khadijah kadija kadiatou hadiza
ismail ismael ishmael
mariam mariama maryam
omar umar oumar omer umaru
othman osman usman uthman ousmane
salih saleh
zainab zaynab zeinab zeynep zainabu
yusuf yusufu youssouf yousef yousuf joseph
`;

function build(): ReadonlyMap<string, readonly number[]> {
  const groupsOf = new Map<string, number[]>();
  const lines = GROUPS.trim().split('\n');
  for (const [index, line] of lines.entries()) {
    for (const name of new Set(line.split(' '))) {
      const known = groupsOf.get(name);
      if (known === undefined) groupsOf.set(name, [index]);
      else known.push(index);
    }
  }
  return groupsOf;
}

const GROUPS_OF = build();
const NO_GROUPS: readonly number[] = [];

/** The groups a folded given name belongs to; the shared empty list where there is none. */
export function nicknameGroups(name: string): readonly number[] {
  return GROUPS_OF.get(name) ?? NO_GROUPS;
}

/** True when two names share a group. Not transitive across groups on purpose: Alexandra is no Alexander. */
export function shareNickname(a: readonly number[], b: readonly number[]): boolean {
  for (const group of a) if (b.includes(group)) return true;
  return false;
}
