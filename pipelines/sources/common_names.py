"""Common forenames and surnames of people in the UK who receive care, to tell which word of a name is which.

Written here, so that a name is read alike on every machine and nothing has to be imported for it. A name that is
common as both stands in both.
"""

from __future__ import annotations

from functools import cache

_FORENAMES = """
Ada Adam Adrian Agnes Aileen Alan Albert Alec Alexander Alexandra Alfred Alice Alison Allan Alma Amanda Amelia Amy
Andrea Andrew Angela Angus Anita Ann Anna Anne Annette Annie Anthony Archibald Arnold Arthur Audrey Barbara Barry
Basil Beatrice Bernard Bernice Bert Bertha Beryl Bessie Betty Beverley Bill Bob Brenda Brendan Brian Bridget Bronwen
Bruce Carol Carole Caroline Carolyn Catherine Cecil Cecilia Celia Charles Charlotte Cheryl Christina Christine
Christopher Clara Clare Clifford Clive Colin Colleen Connie Constance Cynthia Cyril Daisy Daniel Daphne David Dawn
Deborah Deirdre Delia Denis Denise Dennis Derek Diana Diane Dilys Dolores Donald Donna Dora Doreen Doris Dorothea
Dorothy Douglas Duncan Edgar Edith Edmund Edna Edward Edwin Eileen Elaine Eleanor Elizabeth Ella Ellen Elsie Elspeth
Emily Emma Enid Eric Ernest Esme Esther Ethel Eugene Eunice Eva Evelyn Fiona Flora Florence Frances Francis Frank Fred
Freda Frederick Gareth Gary Gavin Geoffrey George Georgina Gerald Geraldine Gerard Gertrude Gilbert Gillian Gladys
Glenda Glenys Glyn Gordon Grace Graham Gwen Gwendoline Gwyneth Harold Harriet Harry Hazel Heather Hector Helen Henry
Herbert Hilary Hilda Hubert Hugh Humphrey Ian Ida Ina Irene Iris Irma Isabel Isabella Isobel Ivan Ivor Ivy Jack
Jacqueline James Jane Janet Janice Jasmine Jason Jean Jeanette Jeffrey Jennifer Jeremy Jessie Jill Jim Joan Joanna
Joanne Jocelyn Joe John Jonathan Josephine Joy Joyce Juanita Judith Judy Julia Julian Julie June Karen Karl Kate
Kathleen Katherine Kathryn Kay Keith Kenneth Kevin Kitty Laura Lawrence Lena Leonard Leonora Lesley Leslie Lewis
Lilian Lillian Lily Linda Lionel Lisa Lorna Lorraine Lottie Louis Louisa Louise Lucy Luke Lydia Lynda Lynn Lynne Mabel
Madge Maisie Malcolm Margaret Margery Maria Marian Marie Marilyn Marion Marjorie Mark Marlene Martha Martin Mary
Mathew Matilda Matthew Maud Maureen Maurice Mavis Megan Melvyn Michael Michelle Mildred Millicent Minnie Miriam Moira
Mollie Molly Mona Monica Morag Muriel Myfanwy Myra Nancy Naomi Natalie Neil Nellie Nicholas Nicola Nigel Noel Nora
Norah Noreen Norma Norman Olga Olive Oliver Olwen Oscar Pamela Patience Patricia Patrick Paul Paula Pauline Pearl
Peggy Penelope Percy Peter Philip Phillip Philomena Phyllis Priscilla Prudence Queenie Rachel Ralph Raymond Rebecca
Reginald Rene Rex Rhoda Rhona Richard Rita Robert Roberta Robin Roger Roland Ronald Rosalind Rosamund Rose Rosemary
Rosie Roy Ruby Rupert Russell Ruth Sally Samantha Samuel Sandra Sarah Sean Sharon Sheila Shirley Sidney Simon Sonia
Sophie Stanley Stella Stephanie Stephen Steven Stewart Stuart Susan Suzanne Sybil Sydney Sylvia Terence Teresa Thelma
Theresa Thomas Timothy Tom Tony Tracey Trevor Una Ursula Valerie Vanessa Vera Vernon Veronica Victor Victoria Vincent
Viola Violet Virginia Vivian Vivien Walter Wendy Wilfred William Winifred Winston Yvonne Zena Zoe Alun Angharad Aoife
Bernadette Blodwen Carys Ceri Dafydd Dermot Dylan Eamon Eirlys Emlyn Eoin Fergus Geraint Huw Ieuan Iain Iolo Kieran
Liam Mairead Maeve Meirion Niall Nuala Oonagh Owen Padraig Rhiannon Rhys Roisin Seamus Sian Sinead Siobhan Tomos
Aleksander Andrzej Anastasia Barbara Bogdan Boguslaw Danuta Elzbieta Ewa Franciszek Giovanni Giuseppe Grazyna Halina
Helena Henryk Irena Iwona Jadwiga Jan Janina Jerzy Josef Jozef Krystyna Krzysztof Kazimierz Lucia Luigi Magda
Malgorzata Marek Marta Mieczyslaw Pawel Piotr Stanislaw Stefan Tadeusz Teresa Urszula Wanda Wojciech Zbigniew Zofia
Aamir Abdul Abdullah Abid Adeel Aisha Akhtar Amina Amir Anwar Arif Asif Asma Aziz Bashir Bilal Bushra Fahad Faisal
Farah Farida Farooq Fatima Fatma Ghulam Habib Hafsa Halima Hamid Hamza Hanif Haroon Hassan Ibrahim Imran Iqra Ismail
Jamila Javed Kamal Karim Khadija Khalid Layla Mahmood Mariam Maryam Mehmet Mohamed Mohammad Mohammed Muhammad Mumtaz
Mustafa Mushtaq Nadia Naseem Nasir Nasreen Nazir Noor Omar Osman Parveen Qasim Rabia Rafiq Rashid Rashida Rehana Riaz
Rizwan Ruksana Sabina Saeed Safia Saima Salim Salma Samina Sana Shabana Shabnam Shahid Shahida Shakeel Shamim Shazia
Sultana Tahir Tariq Usman Yasmin Yousuf Yusuf Zahida Zainab Zubeda Ajay Amar Amrit Anand Anil Arun Asha Ashok Balbir
Baldev Balwant Bhupinder Bharat Chandra Deepak Devi Dinesh Dipak Gita Govind Gurdeep Gurdial Gurmeet Gurpreet Harbans
Harbhajan Harish Harjit Hema Indira Jagdish Jagjit Jasbir Jaswant Jaswinder Jayant Jayesh Joginder Kamala Kanta
Kashmir Kiran Kishan Kuldip Kulwant Kusum Lakshmi Lalita Lata Madhu Mahesh Manjit Manjula Meena Mohan Mohinder Mukesh
Narinder Naresh Neelam Nirmal Nirmala Pankaj Paramjit Pratap Pritam Priya Pushpa Radha Rajesh Rajinder Raj Ramesh
Ranjit Ravi Rekha Sandeep Sanjay Santosh Saroj Satish Savita Shanta Shanti Sharda Sita Sudha Sukhdev Sunita Suresh
Surinder Surjit Sushila Tara Tarsem Usha Vijay Vimla Vinod Abiola Abimbola Adaeze Adaobi Ade Adebayo Adeola Akosua
Akua Ama Amara Babatunde Blessing Bolanle Chidi Chidinma Chika Chinedu Chinwe Chioma Comfort Ebenezer Efua Ekow Emeka
Esi Folake Funmilayo Gifty Ifeoma Ifeyinwa Ike Kofi Kojo Kwabena Kwame Kwasi Kwesi Mercy Ngozi Nkechi Obinna Olu
Olufemi Olusegun Oluwaseun Sade Segun Temitope Tendai Tunde Uche Yaw Yetunde Delroy Errol Desmond Ezekiel Leroy
Hyacinth Clarissa Neville Merlene Ionie Icilda Cislyn Mei Ming Wei Xiu Ying Hong Hua Jing Li Ling Siew Yee Thi Van
Thuy Minh Nguyet Alasdair Alistair Catriona Craig Ewan Hamish Innes Kirsty Mhairi Moray Ronan Senga Sorcha Ali Ahmed
Ayesha Begum Hussain Jacob Joshua Isaac Leah Miriam Moses Nathan Reuben Sadie Solomon Abraham Benjamin Callum Chloe
Connor Ellie Ethan Georgia Hannah Holly Jade Jordan Lauren Ryan Scott Shaun Sheena Tina Toby Trudy Wayne Kim Kirsten
Kerry Kelly Leanne Marcia Marcus Maxine Melanie Mandy Nina Norris Rhoda Rowena Roxanne Sophia Tanya Theodore Tracy
Wilma Winnie Yolanda
"""
_SURNAMES = """
Adams Adamson Ahmed Akhtar Alexander Ali Allen Allan Anderson Andrews Archer Armstrong Arnold Ashton Atkins Atkinson
Austin Bailey Baker Baldwin Ball Banks Barker Barlow Barnes Barnett Barrett Barry Bartlett Barton Bates Baxter
Beaumont Begum Bell Bennett Benson Bentley Berry Bevan Bibi Birch Bird Bishop Black Blackburn Blake Bolton Bond Booth
Bowen Bowler Boyle Bradley Bradshaw Brady Brennan Brett Bright Briggs Brookes Brooks Brown Browne Bruce Bryan Bryant
Buckley Bull Burgess Burke Burns Burrows Burton Butcher Butler Byrne Callaghan Cameron Campbell Carey Carpenter Carr
Carroll Carter Cartwright Chadwick Chambers Chan Chandler Chapman Chaudhry Cheung Chopra Choudhury Clark Clarke
Clayton Clements Coates Cole Coleman Coles Collier Collins Connolly Connor Conway Cook Cooke Cooper Corbett Cox Craig
Crawford Cross Crossley Cunningham Curtis Dale Daly Daniels Davey Davidson Davies Davis Davison Dawson Day Dean Dennis
Desai Devi Dhillon Dickinson Dixon Dobson Docherty Doherty Donnelly Douglas Doyle Driscoll Duffy Duncan Dunn Dyer
Eaton Edwards Elliott Ellis Ellison Evans Farrell Faulkner Field Fisher Fitzgerald Flanagan Fleming Fletcher Flynn
Forbes Ford Forster Foster Fowler Fox Francis Franklin Fraser Freeman French Frost Fuller Gallagher Gardiner Gardner
Garner Gibbons Gibbs Gibson Gilbert Gill Gilmour Glover Goddard Godfrey Goodwin Gordon Gough Gould Graham Grant Gray
Green Greenwood Gregory Grewal Griffin Griffiths Gupta Hale Hall Hamilton Hammond Hancock Hanson Harding Hardy Harper
Harris Harrison Hart Hartley Harvey Hawkins Hayes Haynes Hayward Heath Henderson Henry Herbert Hewitt Hicks Higgins
Hill Hilton Hobbs Hodgson Holden Holland Holmes Holt Hooper Hope Hopkins Horton Houghton Howard Howarth Howe Howell
Howells Hudson Hughes Humphreys Humphries Hunt Hunter Hurst Hussain Hutchinson Hyde Iqbal Jackson Jacobs James Jarvis
Jenkins Jennings Johal John Johnson Johnston Johnstone Jones Jordan Joshi Joyce Kaur Kay Kelly Kemp Kennedy Kent Kerr
Khan King Kirby Kirk Knight Knowles Lamb Lambert Lane Law Lawrence Lawson Leach Lee Lees Leigh Leonard Lewis Little
Lloyd Long Lord Lowe Lucas Lynch Lyons MacDonald Macdonald Mackenzie Mahmood Malik Mann Manning Marsden Marsh Marshall
Martin Mason Matthews May McCarthy McDonald McGrath McKenna McLean Mehta Mellor Metcalfe Middleton Miles Miller Mills
Mistry Mitchell Mohamed Moore Moran Morgan Morley Morris Morrison Morton Moss Mullen Murphy Murray Myers Nash Naylor
Nelson Newman Newton Nguyen Nicholls Nicholson Nicholls Nolan Norman Norris North Norton Nowak Nunn Oakley Obi Okafor
Okeke Okonkwo Okoro Oliver Osborne Osei Owen Owens Owusu Page Palmer Park Parker Parkin Parkinson Parmar Parry Parsons
Patel Patterson Payne Peacock Pearce Pearson Perkins Perry Peters Phillips Pickering Pollard Poole Pope Porter Potter
Potts Powell Power Pratt Preston Price Pritchard Pugh Quinn Rahman Ramsey Randall Rao Read Reed Rees Reeves Reid
Reynolds Rhodes Richards Richardson Riley Roberts Robertson Robinson Robson Rogers Rose Ross Rowe Rowley Russell Ryan
Sahota Saleem Sandhu Saunders Savage Schofield Scott Sexton Shah Shaikh Sharma Sharp Sharpe Shaw Sheikh Shepherd
Sheppard Short Sidhu Siddiqui Simmons Simpson Sims Sinclair Singh Skinner Slater Smart Smith Smyth Spencer Stanley
Steele Stephens Stephenson Stevens Stevenson Stewart Stokes Stone Storey Stuart Sullivan Summers Sutton Swift Sykes
Talbot Tan Tanner Taylor Thomas Thompson Thomson Thornton Thorpe Todd Tomlinson Townsend Tucker Turnbull Turner Tyler
Uddin Vaughan Verma Vincent Wade Walker Wallace Wallis Walsh Walters Walton Wang Ward Warner Warren Waters Watkins
Watson Watts Weaver Webb Webster Welch Wells Weston Wheeler White Whitehead Whitehouse Whittaker Wilkins Wilkinson
Williams Williamson Willis Wilson Winter Wong Wood Woods Woodward Wright Wyatt Yates Young Yusuf Zaman Kowalski
Kowalska Kaminski Lewandowski Wisniewski Zielinski Rossi Bianchi Esposito Papadopoulos Georgiou Ioannou Constantinou
Mensah Boateng Asante Appiah Adeyemi Adebayo Ogunleye Balogun Mukherjee Banerjee Chatterjee Das Sen Ghosh Nair Pillai
Menon Fernandes Pereira Gomez Garcia Silva Santos Costa Archerson Bellamy Copley Hargreaves Illingworth Oldroyd
Ramsden Sugden Thwaite Barraclough Butterworth Clegg Entwistle Greenhalgh Haworth Ogden Openshaw Pilkington Rigby
Schofield Shuttleworth Brook Haigh Lister Lumb Priestley Sunderland Fairclough
"""


@cache
def forenames() -> frozenset[str]:
    """Common forenames, in capitals."""
    return frozenset(_FORENAMES.upper().split())


@cache
def surnames() -> frozenset[str]:
    """Common surnames, in capitals."""
    return frozenset(_SURNAMES.upper().split())


def leaning(word: str) -> int:
    """1 for a word that is common as a forename only, -1 as a surname only, 0 for both or neither."""
    key = word.upper().strip(".'’")
    return (key in forenames()) - (key in surnames())
